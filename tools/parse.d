parse.o: parse.c parse.h ctx.h model.h wireguard_uapi.h base64.h
parse.h:
ctx.h:
model.h:
wireguard_uapi.h:
base64.h:
