"""The only storey that touches the Speech SDK, the command `demo` aside."""
