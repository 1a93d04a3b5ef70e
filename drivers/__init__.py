"""What touches hardware. Knows no points, no till and no ledger. Where to look:

contract   base, worker (the child process of a reader), attachment, retry, local_socket, device_node
readers    pcsc, contactless, serial_line, keyboard_wedge, camera, simulated: the six that a config can name
PC/SC      pcsc_service, pcsc_tap, presence
nfcpy      nfc_radio, nfc_field, nfc_desk, iso14443, pn532_line, pn532_frames, usb_readers
scans      scanner, framing, scans, aim, gs1, magstripe; keystrokes, keyboard_layouts, input_nodes
camera     camera_source, frames, picture_folder, decoding
cards      wishes, card_options, key_file; bearers, atr, apdu, raw_frames, tlv, tags, ndef, chips, originality,
           applications, desfire, aes
phones     apple_vas, smart_tap, passes
notes      card_notes, card_record, ntag_notes, desfire_notes, note_words
"""
