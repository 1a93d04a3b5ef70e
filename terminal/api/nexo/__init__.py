"""The nexo Retailer Protocol, version 3: an own dialect over HTTPS for tills that speak it (docs/nexo.md).

It has no rules of its own: each message becomes the event or question that the REST routes use too.
"""
