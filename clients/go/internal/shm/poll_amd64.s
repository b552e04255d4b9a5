#include "textflag.h"

// func changes(word *uint32, before uint32, looks int) bool
TEXT ·changes(SB), NOSPLIT, $0-25
	MOVQ word+0(FP), AX
	MOVL before+8(FP), CX
	MOVQ looks+16(FP), DX
look:
	CMPL (AX), CX
	JNE changed
	PAUSE
	DECQ DX
	JG look
	MOVB $0, ret+24(FP)
	RET
changed:
	MOVB $1, ret+24(FP)
	RET
