/* The start of the program, and the one place where the processor changes between the monitor and the guest. */

        .set    VMCS_HOST_RSP, 0x6c14

        .section .text.start, "ax"
        .globl  start
start:                                          /* rdi = records, rsi = results, rdx = number of records */
        mov     %cr4, %rax                      /* for Bochs: the width of linear addresses comes from here */
        mov     %rax, %cr4
        mov     %cr3, %rax
        mov     %rax, %cr3
        call    monitor
        clflush (%rsp)                          /* machine.py stops the processor here */
1:      jmp     1b

        .text
/* bool enter_guest(struct guest_registers *registers, bool launched)
 * Enters the guest and returns at its VM exit; registers->rax is then the guest's.
 * Returns true if the VM entry failed with an error number (VMfailValid), else false.
 */
        .globl  enter_guest
enter_guest:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        push    %rdi
        mov     $VMCS_HOST_RSP, %eax
        vmwrite %rsp, %rax
        mov     8(%rdi), %rbx
        mov     (%rdi), %rax
        test    %sil, %sil
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      pop     %rdi
        mov     $1, %eax
        jmp     3f

        .globl  vm_exit
vm_exit:
        pop     %rdi
        mov     %rax, (%rdi)
        xor     %eax, %eax
3:      pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .section .note.GNU-stack, "", @progbits
