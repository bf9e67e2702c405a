model.o: model.c model.h wireguard_uapi.h base64.h
model.h:
wireguard_uapi.h:
base64.h:
