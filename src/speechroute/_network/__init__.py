"""The only storey that asks anybody: DNS, the operating system, the doors of the service."""
