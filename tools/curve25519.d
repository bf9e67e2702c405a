curve25519.o: curve25519.c curve25519.h
curve25519.h:
