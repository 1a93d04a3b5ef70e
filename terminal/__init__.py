"""The till: where a card, a sale and the offline queue meet. Where to look:

start      cli, daemon, ending, ground, parts; instance, state_folder, systemd, log
frame      inbox, till_loop, till, desks, ledger_words, questions, watchers, notices
           pos, texts, wording: what is said to a POS; attention, disk, sync_progress: what is shown to people
config     config, config_cards, config_claims, config_hw_proxy, config_mirror, config_nexo, config_offline,
           config_problems
rooms      readers, counter, cards: from a reader to a customer's card
           sales, promises, claims, disputes: from a request to its durable entry, and what comes after
           api, web, commands: the faces
           doctor, trial, history, setup, mirror: for the technician
"""
