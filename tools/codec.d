codec.o: codec.c codec.h model.h wireguard_uapi.h
codec.h:
model.h:
wireguard_uapi.h:
