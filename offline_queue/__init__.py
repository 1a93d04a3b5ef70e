"""What must never lose a point: entries, the journal on disk, and their way to the ledger.

Knows no hardware and no POS. Where to look:

record     entry, words, counted, legible, timepiece
journal    store (what callers use), journal (its values and errors), writer, jobs, group (the one thread that writes)
           lanes, opening, migrations, ownership, room, trimming, disk_sync, private_file
           journal_reader: journal_entries, journal_streams, journal_marks, journal_rights, finder, seen, stretches
           proofs: journal_audit, journal_export, checkpoints
sync       sync (the thread), sync_report, courier (one exchange), requests, sync_memory
           its pure core: next_step, hearing, failing, steps, findings, backoff
           inquiries: what a customer waits for
wire       wire, wire_accounts, wire_feeds; signing, receipts, terminal_key
           ledger_client, ledger_answers, packing, punctual: the same over HTTP
disputes   conflicts
mirror     mirror (the thread), mirror_copy, mirror_peer, delivery
exports    exporting, export_lines, export_check
claims     claim_codes, claimed_sale, plain_cbor, typed_lines, base45
config     config_file
"""
