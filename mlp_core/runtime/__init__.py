"""What depends on the machine: devices, the library that multiplies matrices, memory."""
