base64.o: base64.c base64.h wireguard_uapi.h
base64.h:
wireguard_uapi.h:
