//! One instruction of classic BPF, as `SO_ATTACH_FILTER` takes it.

/// How many instructions the kernel takes (`BPF_MAXINSNS`).
pub const PROGRAM_LEN_MAX: usize = 4096;

/// An instruction of classic BPF.
///
/// **Shape**: `struct sock_filter`: code, jump when true, jump when false, operand.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Operation, size and mode.
    pub code: u16,
    /// Instructions skipped when a comparison is true.
    pub jt: u8,
    /// Instructions skipped when it is false.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

const _: () = assert!(size_of::<Instruction>() == size_of::<libc::sock_filter>());
const _: () = assert!(align_of::<Instruction>() == align_of::<libc::sock_filter>());
