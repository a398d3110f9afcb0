/* A VMX monitor that makes one guest access per record and writes down how it ended.
 *
 * Runs in 64-bit mode at CPL 0, with all physical memory mapped at its own address. Field encodings and
 * control bits: SDM Vol. 3D, "Field Encoding in VMCS"; Vol. 3C, "VM-Execution Control Fields".
 */
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t u64;

struct word { u64 address, value; };

struct record {                         /* one guest entry; written by machine.py */
    u64 eptp, primary_controls, secondary_controls, tertiary_controls;
    u64 ve_information_address, sppt_pointer;
    u64 cr0, cr3, cr4, efer, cpl, rflags, pdptes[4];
    u64 rip;                            /* where the guest starts */
    u64 address;                        /* the guest's RBX: where a data access goes */
    u64 words;                          /* how many of these follow; the rest of memory is zero */
    struct word memory[];
};

struct result {                         /* read by machine.py */
    u64 vm_instruction_error;           /* 0 if the VM entry did not fail with an error number */
    u64 exit_reason, exit_qualification, guest_physical_address, guest_linear_address;
    u64 interruption_information, interruption_error_code;
    u64 rax;
    u64 changed;                        /* how many words follow, with their new values */
    struct word memory[];
};

struct guest_registers { u64 rax, rbx; };

bool enter_guest(struct guest_registers *registers, bool launched);
extern char vm_exit[];

enum layout {                           /* pages after the image, zero at the start; see machine.py */
    VMXON_REGION = 0x20000, VMCS_REGION = 0x21000, CAPABILITIES = 0x22000,
};
#define PROGRAM 0xff00000000ull
#define WRITTEN 0x5a5a5a5au             /* the four bytes that a write stores */

enum msr {
    FEATURE_CONTROL = 0x3a, VMX_BASIC = 0x480, VMX_PROCBASED_CTLS2 = 0x48b, VMX_EPT_VPID_CAP = 0x48c,
    VMX_TRUE_PINBASED = 0x48d, VMX_TRUE_PROCBASED = 0x48e, VMX_TRUE_EXIT = 0x48f, VMX_TRUE_ENTRY = 0x490,
    VMX_PROCBASED_CTLS3 = 0x492,
    MSR_EFER = 0xc0000080,
};

enum field {
    GUEST_CS_SELECTOR = 0x802, GUEST_SS_SELECTOR = 0x804, GUEST_TR_SELECTOR = 0x80e,
    HOST_CS_SELECTOR = 0xc02, HOST_SS_SELECTOR = 0xc04, HOST_TR_SELECTOR = 0xc0c,
    EPT_POINTER = 0x201a, VE_INFORMATION_ADDRESS = 0x202a, SPPT_POINTER = 0x2030, TERTIARY_CONTROLS = 0x2034,
    GUEST_PHYSICAL_ADDRESS = 0x2400,
    VMCS_LINK_POINTER = 0x2800, GUEST_EFER = 0x2806, GUEST_PDPTE0 = 0x280a, HOST_EFER = 0x2c02,
    PIN_CONTROLS = 0x4000, PRIMARY_CONTROLS = 0x4002, EXCEPTION_BITMAP = 0x4004, EXIT_CONTROLS = 0x400c,
    ENTRY_CONTROLS = 0x4012, SECONDARY_CONTROLS = 0x401e,
    VM_INSTRUCTION_ERROR = 0x4400, EXIT_REASON = 0x4402, EXIT_INTERRUPTION = 0x4404, EXIT_ERROR_CODE = 0x4406,
    GUEST_ES_LIMIT = 0x4800, GUEST_GDTR_LIMIT = 0x4810, GUEST_IDTR_LIMIT = 0x4812,
    GUEST_ES_ACCESS = 0x4814, GUEST_CS_ACCESS = 0x4816, GUEST_SS_ACCESS = 0x4818, GUEST_DS_ACCESS = 0x481a,
    GUEST_FS_ACCESS = 0x481c, GUEST_GS_ACCESS = 0x481e, GUEST_LDTR_ACCESS = 0x4820, GUEST_TR_ACCESS = 0x4822,
    EXIT_QUALIFICATION = 0x6400, GUEST_LINEAR_ADDRESS = 0x640a,
    GUEST_CR0 = 0x6800, GUEST_CR3 = 0x6802, GUEST_CR4 = 0x6804, GUEST_DR7 = 0x681a, GUEST_RIP = 0x681e,
    GUEST_RFLAGS = 0x6820, HOST_CR0 = 0x6c00, HOST_CR3 = 0x6c02, HOST_CR4 = 0x6c04, HOST_RIP = 0x6c16,
};

enum control {
    EXIT_HOST_64_BIT = 1 << 9, EXIT_LOAD_EFER = 1 << 21,
    ENTRY_IA32E_GUEST = 1 << 9, ENTRY_LOAD_EFER = 1 << 15,
};
enum { EFER_LMA = 1 << 10, ERROR_CODE_VALID = 1 << 11, LINEAR_ADDRESS_VALID = 1 << 7 };
enum reason { EPT_VIOLATION = 48, EPT_MISCONFIGURATION = 49, SPP_EVENT = 66 };

static u64 read_msr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static void write_msr(uint32_t msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void vmwrite(enum field field, u64 value)
{
    __asm__ volatile("vmwrite %1, %0" : : "r"((u64)field), "r"(value) : "cc", "memory");
}

static u64 vmread(enum field field)
{
    u64 value;
    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((u64)field) : "cc");
    return value;
}

static u64 must_be_one(enum msr msr) { return read_msr(msr) & 0xffffffff; }

static void report_capabilities(void)
{
    u64 *out = (u64 *)(PROGRAM + CAPABILITIES);
    uint32_t eax = 0x80000008, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    out[0] = eax & 0xff;
    out[1] = read_msr(VMX_EPT_VPID_CAP);
    out[2] = read_msr(VMX_TRUE_PROCBASED);
    out[3] = read_msr(VMX_PROCBASED_CTLS2);
    out[4] = read_msr(VMX_PROCBASED_CTLS3);
}

static void start_vmx(void)
{
    u64 regions[] = { PROGRAM + VMXON_REGION, PROGRAM + VMCS_REGION };
    for (int i = 0; i < 2; i++)
        *(uint32_t *)regions[i] = (uint32_t)read_msr(VMX_BASIC);
    if (!(read_msr(FEATURE_CONTROL) & 1))
        write_msr(FEATURE_CONTROL, 5);
    __asm__ volatile("vmxon %0\n\tvmclear %1\n\tvmptrld %1" : : "m"(regions[0]), "m"(regions[1]) : "cc", "memory");
}

static void write_fixed_fields(void)
{
    u64 cr0, cr3, cr4;
    __asm__ volatile("mov %%cr0, %0\n\tmov %%cr3, %1\n\tmov %%cr4, %2" : "=r"(cr0), "=r"(cr3), "=r"(cr4));
    vmwrite(HOST_CR0, cr0);
    vmwrite(HOST_CR3, cr3);
    vmwrite(HOST_CR4, cr4);
    vmwrite(HOST_EFER, read_msr(MSR_EFER));
    vmwrite(HOST_RIP, (u64)vm_exit);
    vmwrite(HOST_CS_SELECTOR, 0x08);
    vmwrite(HOST_SS_SELECTOR, 0x10);
    vmwrite(HOST_TR_SELECTOR, 0x18);
    vmwrite(PIN_CONTROLS, must_be_one(VMX_TRUE_PINBASED));
    vmwrite(EXIT_CONTROLS, must_be_one(VMX_TRUE_EXIT) | EXIT_HOST_64_BIT | EXIT_LOAD_EFER);
    vmwrite(EXCEPTION_BITMAP, 0xffffffff);
    vmwrite(VMCS_LINK_POINTER, ~0ull);
    vmwrite(GUEST_DR7, 0x400);
    vmwrite(GUEST_TR_SELECTOR, 0x18);
    for (enum field limit = GUEST_ES_LIMIT; limit <= GUEST_IDTR_LIMIT; limit += 2)
        vmwrite(limit, limit >= GUEST_GDTR_LIMIT ? 0xffff : 0xffffffff);
    vmwrite(GUEST_FS_ACCESS, 0x10000);
    vmwrite(GUEST_GS_ACCESS, 0x10000);
    vmwrite(GUEST_LDTR_ACCESS, 0x10000);
    vmwrite(GUEST_TR_ACCESS, 0x808b);
}

static void write_controls(const struct record *record)
{
    bool ia32e = record->efer & EFER_LMA;
    vmwrite(EPT_POINTER, record->eptp);
    vmwrite(VE_INFORMATION_ADDRESS, record->ve_information_address);
    vmwrite(SPPT_POINTER, record->sppt_pointer);
    vmwrite(PRIMARY_CONTROLS, record->primary_controls);
    vmwrite(SECONDARY_CONTROLS, record->secondary_controls);
    vmwrite(TERTIARY_CONTROLS, record->tertiary_controls);
    vmwrite(ENTRY_CONTROLS, must_be_one(VMX_TRUE_ENTRY) | ENTRY_LOAD_EFER | (ia32e ? ENTRY_IA32E_GUEST : 0));
}

static void write_guest_state(const struct record *record)
{
    u64 privilege = record->cpl << 5, data_access = 0xc093 | privilege;
    vmwrite(GUEST_CR0, record->cr0);
    vmwrite(GUEST_CR3, record->cr3);
    vmwrite(GUEST_CR4, record->cr4);
    vmwrite(GUEST_EFER, record->efer);
    vmwrite(GUEST_RFLAGS, record->rflags);
    vmwrite(GUEST_RIP, record->rip);
    for (int i = 0; i < 4; i++)
        vmwrite(GUEST_PDPTE0 + 2 * i, record->pdptes[i]);
    vmwrite(GUEST_CS_SELECTOR, 0x08 | record->cpl);
    vmwrite(GUEST_SS_SELECTOR, 0x10 | record->cpl);
    vmwrite(GUEST_CS_ACCESS, (record->efer & EFER_LMA ? 0xa09b : 0xc09b) | privilege);
    vmwrite(GUEST_ES_ACCESS, data_access);
    vmwrite(GUEST_SS_ACCESS, data_access);
    vmwrite(GUEST_DS_ACCESS, data_access);
}

/* An exit leaves the fields that it does not define as they were; those are read as 0. */
static void read_exit(struct result *result)
{
    u64 reason = vmread(EXIT_REASON), qualification = vmread(EXIT_QUALIFICATION);
    u64 information = vmread(EXIT_INTERRUPTION);
    bool physical = reason == EPT_VIOLATION || reason == EPT_MISCONFIGURATION || reason == SPP_EVENT;
    bool linear = reason == SPP_EVENT || (reason == EPT_VIOLATION && qualification & LINEAR_ADDRESS_VALID);
    *result = (struct result){
        .exit_reason = reason,
        .exit_qualification = qualification,
        .guest_physical_address = physical ? vmread(GUEST_PHYSICAL_ADDRESS) : 0,
        .guest_linear_address = linear ? vmread(GUEST_LINEAR_ADDRESS) : 0,
        .interruption_information = information,
        .interruption_error_code = information & ERROR_CODE_VALID ? vmread(EXIT_ERROR_CODE) : 0,
    };
}

static void read_entry_failure(struct result *result)
{
    *result = (struct result){ .vm_instruction_error = vmread(VM_INSTRUCTION_ERROR) };
}

/* Writes down the words that changed, and makes them all zero again. */
static void collect_memory(const struct record *record, struct result *result)
{
    u64 changed = 0;
    for (u64 i = 0; i < record->words; i++) {
        u64 *word = (u64 *)record->memory[i].address;
        if (*word != record->memory[i].value)
            result->memory[changed++] = (struct word){ (u64)word, *word };
        *word = 0;
    }
    result->changed = changed;
}

void monitor(const struct record *record, struct result *result, u64 records)
{
    bool launched = false;
    report_capabilities();
    start_vmx();
    write_fixed_fields();
    while (records--) {
        struct guest_registers registers = { .rax = WRITTEN, .rbx = record->address };
        for (u64 i = 0; i < record->words; i++)
            *(u64 *)record->memory[i].address = record->memory[i].value;
        write_controls(record);
        write_guest_state(record);
        if (enter_guest(&registers, launched)) {
            read_entry_failure(result);
        } else {
            read_exit(result);
            launched |= !(result->exit_reason >> 31 & 1);
        }
        result->rax = registers.rax;
        collect_memory(record, result);
        record = (const struct record *)&record->memory[record->words];
        result = (struct result *)&result->memory[result->changed];
    }
    __asm__ volatile("vmxoff");
}
