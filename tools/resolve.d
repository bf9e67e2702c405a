resolve.o: resolve.c resolve.h ctx.h model.h wireguard_uapi.h parse.h
resolve.h:
ctx.h:
model.h:
wireguard_uapi.h:
parse.h:
