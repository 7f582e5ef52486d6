"""The ledger tried at a resource: `hearing` asks, `trials` judges, `report` tells."""
