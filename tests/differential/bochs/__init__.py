"""The reference MMU against Bochs, a CPU emulator that nobody on this project wrote."""
