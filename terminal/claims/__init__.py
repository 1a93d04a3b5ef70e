"""Claim codes: given with a sale, brought back by a customer."""
