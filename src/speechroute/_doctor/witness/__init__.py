"""The ledger tried at a resource: `hearing` asks, `judges` and `trials` judge, `report` tells."""
