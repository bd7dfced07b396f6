"""The processes beside the server: the PBX and the seats. Each writes down what happened there."""
