/* What the bochscpu wheel expects of its surroundings, loaded before it with RTLD_GLOBAL.
 *
 * 1. The wheel is linked against glibc 2.38, where strtoull and sscanf have new names; an older glibc
 *    lacks them. Compiled as C11 without _GNU_SOURCE, the old names below stay the old functions.
 * 2. Four members of bx_pc_system_c stand for a PC around the processor. The wheel has none and ends in
 *    assert(false); they are called through the PLT, so these definitions come first. VMXON asks for the
 *    A20 gate; the timers belong to the local APIC and the VMX-preemption timer, which are never used.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return strtoull(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int converted = vsscanf(text, format, arguments);
    va_end(arguments);
    return converted;
}

bool _ZN14bx_pc_system_c14get_enable_a20Ev(void *self)
{
    (void)self;
    return true;
}

void _ZN14bx_pc_system_c16deactivate_timerEj(void *self, unsigned timer)
{
    (void)self, (void)timer;
}

void _ZN14bx_pc_system_c20activate_timer_ticksEjmb(void *self, unsigned timer, uint64_t ticks, bool continuous)
{
    (void)self, (void)timer, (void)ticks, (void)continuous;
}

void _ZN14bx_pc_system_c6invlpgEm(void *self, uint64_t linear_address)
{
    (void)self, (void)linear_address;
}

/* 3. The wheel's processor model is fixed (Cannon Lake); its constructor, too, is called through the PLT.
 * `processor_model` is set to another model's before the first processor is made.
 */
void *(*processor_model)(void *processor);

void *_Z23create_corei3_cnl_cpuidP8BX_CPU_C(void *processor)
{
    return processor_model(processor);
}
