"""What the POS speaks to. One route is one event or one query; no rules live here."""
