#include "textflag.h"

// func ownCPU() (cpu uint32, known bool)
TEXT ·ownCPU(SB), NOSPLIT, $0-5
	// GDT_ENTRY_CPUNODE of Linux, from ring 3: the CPU in the lowest twelve bits, above them the node.
	MOVL $0x7b, CX
	LSLL CX, AX
	JNE unknown
	ANDL $0xfff, AX
	MOVL AX, cpu+0(FP)
	MOVB $1, known+4(FP)
	RET
unknown:
	MOVL $0, cpu+0(FP)
	MOVB $0, known+4(FP)
	RET
