"""The claims of the ledger, tried at a resource: `hearing` asks, `trials` judges, `report` tells."""
