"""The reference central ledger: the executable specification of the wire.

Its rooms stand in floors; each imports only what stands below it (tests/test_house.py holds them to it):

commands, cli   `tilld ledger`, command by command
config, config_programme  what a retailer may set
http            the door, the callers and the calls of the wire
sqlite, postgres  the engines
books           keeping the books: the calls of the wire and those of the office
audit           the invariants, computed again
tables          the books in SQL that both engines share
sheet           the part of the books that a batch touches, in memory
rules           what becomes of a record; pure
facts, points   the values that rules know and say; pure
port            what every keeper of books offers, its answers and refusals
"""
