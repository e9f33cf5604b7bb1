//go:build !purego

#include "textflag.h"

// The walk in 64-byte blocks, with SSE2, which every amd64 has. See skim.go for what it must do, and FuzzSkim for what holds it
// to that. It never reads beyond the buffer: where 64 bytes are not left, it stops, and Go does the rest.
//
//	SI  the line            BX  the block
//	R8  end of the buffer   CX  the byte that was found
//	DI  byStatus            R9  where in the block the bytes are that were searched
//	R13 selected            X0, X1  quotes, newlines

// SPECIAL sets a bit in dst for each quote and newline of 16 bytes.
#define SPECIAL(off, dst) \
	MOVOU    off(BX), X2; \
	MOVO     X2, X3;      \
	PCMPEQB  X0, X2;      \
	PCMPEQB  X1, X3;      \
	POR      X3, X2;      \
	PMOVMSKB X2, dst

// BLOCK does so for 64 bytes, in R9, or stops where they are not left.
#define BLOCK \
	LEAQ 64(BX), AX;   \
	CMPQ AX, R8;       \
	JHI  stop;         \
	SPECIAL(0, R9);    \
	SPECIAL(16, R10);  \
	SPECIAL(32, R11);  \
	SPECIAL(48, R12);  \
	SHLQ $16, R10;     \
	SHLQ $32, R11;     \
	SHLQ $48, R12;     \
	ORQ  R10, R9;      \
	ORQ  R12, R11;     \
	ORQ  R11, R9

// func skim(lines []byte, selected *[1024]bool, byStatus *[1000]int64, maxLine int) (size int, count int64)
TEXT ·skim(SB), NOSPLIT, $0-64
	MOVQ       lines_base+0(FP), SI
	MOVQ       lines_len+8(FP), R8
	ADDQ       SI, R8
	MOVQ       selected+24(FP), R13
	MOVQ       byStatus+32(FP), DI
	MOVQ       $0, count+56(FP)
	MOVQ       $0x2222222222222222, AX
	MOVQ       AX, X0
	PUNPCKLQDQ X0, X0
	MOVQ       $0x0a0a0a0a0a0a0a0a, AX
	MOVQ       AX, X1
	PUNPCKLQDQ X1, X1

line:
	// The first quote: after ` [28 bytes] `, and before any newline.
	MOVQ  SI, BX
	BLOCK
	TESTQ R9, R9
	JNZ   open
	ADDQ  $64, BX
	BLOCK
	TESTQ R9, R9
	JZ    stop

open:
	BSFQ R9, CX
	ADDQ BX, CX
	MOVQ CX, AX
	SUBQ SI, AX
	CMPQ AX, $30
	JLT  stop
	CMPB (CX), $0x22
	JNE  stop
	CMPW -2(CX), $0x205d  // "] "
	JNE  stop
	CMPW -30(CX), $0x5b20 // " ["
	JNE  stop

	// The request: a method, a space, a slash. Then the first quote.
	LEAQ  1(CX), BX
	BLOCK
	MOVQ  (BX), AX
	CMPL  AX, $0x20544547 // "GET "
	JNE   other

four:
	CMPB 4(BX), $0x2f
	JNE  stop

request:
	TESTQ R9, R9
	JNZ   shut
	ADDQ  $64, BX
	BLOCK
	JMP   request

other:
	CMPL AX, $0x54534f50 // "POST"
	JEQ  five
	CMPL AX, $0x44414548 // "HEAD"
	JEQ  five
	CMPL AX, $0x20545550 // "PUT "
	JEQ  four
	MOVQ $0x2f204554454c4544, R10 // "DELETE /"
	CMPQ AX, R10
	JEQ  request
	JMP  stop

five:
	CMPW 4(BX), $0x2f20 // " /"
	JEQ  request
	JMP  stop

shut:
	BSFQ R9, CX
	ADDQ BX, CX
	CMPB (CX), $0x22
	JNE  stop
	CMPB -1(CX), $0x5c // a backslash
	JEQ  stop

	// The status: `" 200 `.
	LEAQ  69(CX), AX
	CMPQ  AX, R8
	JHI   stop
	MOVQ  (CX), AX
	MOVQ  AX, DX
	MOVQ  $0x0000ff000000ff00, R10
	ANDQ  R10, DX
	MOVQ  $0x0000200000002000, R10
	CMPQ  DX, R10
	JNE   stop
	SHRQ  $16, AX
	ANDL  $0xffffff, AX
	XORL  $0x303030, AX   // digits become 0 to 9, all else more
	LEAL  0x767676(AX), DX
	ORL   AX, DX
	TESTL $0x808080, DX
	JNZ   stop
	MOVBLZX AX, R10
	IMUL3L $100, R10, R10
	MOVL  AX, R11
	SHRL  $8, R11
	ANDL  $0xff, R11
	LEAL  (R11)(R11*4), R11
	LEAL  (R10)(R11*2), R10
	SHRL  $16, AX
	ADDL  AX, R10
	CMPB  (R13)(R10*1), $0
	JNE   stop

	// The newline. The 64 bytes from here were found to be left above.
	LEAQ 5(CX), BX

tail:
	MOVOU    0(BX), X2
	MOVOU    16(BX), X3
	MOVOU    32(BX), X4
	MOVOU    48(BX), X5
	PCMPEQB  X1, X2
	PCMPEQB  X1, X3
	PCMPEQB  X1, X4
	PCMPEQB  X1, X5
	MOVO     X2, X6
	MOVO     X4, X7
	POR      X3, X6
	POR      X5, X7
	POR      X7, X6
	PMOVMSKB X6, AX
	TESTL    AX, AX
	JNZ      newline
	ADDQ     $64, BX
	LEAQ     64(BX), AX
	CMPQ     AX, R8
	JLS      tail
	JMP      stop

newline:
	PMOVMSKB X2, R9
	PMOVMSKB X3, AX
	PMOVMSKB X4, R11
	PMOVMSKB X5, R12
	SHLQ     $16, AX
	SHLQ     $32, R11
	SHLQ     $48, R12
	ORQ      AX, R9
	ORQ      R12, R11
	ORQ      R11, R9
	BSFQ     R9, CX
	ADDQ     BX, CX
	MOVQ     CX, AX
	SUBQ     SI, AX
	CMPQ     AX, maxLine+40(FP)
	JGT      stop
	INCQ     (DI)(R10*8)
	INCQ     count+56(FP)
	LEAQ     1(CX), SI
	JMP      line

stop:
	SUBQ lines_base+0(FP), SI
	MOVQ SI, size+48(FP)
	RET
