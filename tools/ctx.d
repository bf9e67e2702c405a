ctx.o: ctx.c ctx.h
ctx.h:
