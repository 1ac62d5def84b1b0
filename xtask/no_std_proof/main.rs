//! A program without std: `cargo xtask tidy` adds the crates that claim to need none, and links it.
//!
//! It is not run; that it links is the proof. It has what a program without std must bring: an entry point, a panic
//! handler, an allocator (handing out a fixed block and never taking back).
#![no_std]
#![no_main]

use core::{
    alloc::{GlobalAlloc, Layout},
    panic::PanicInfo,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

/// As much as any of the crates would want before its first packet.
const HEAP_BYTES: usize = 1 << 16;

#[repr(align(16))]
struct Heap {
    _bytes: [u8; HEAP_BYTES],
}

static mut HEAP: Heap = Heap { _bytes: [0; HEAP_BYTES] };

struct Bump(AtomicUsize);

// SAFETY: each call gets bytes of its own, because the counter only grows; blocks are aligned by rounding up.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let wanted = layout.size() + layout.align();
        let start = self.0.fetch_add(wanted, Ordering::Relaxed).next_multiple_of(layout.align());
        if start + layout.size() > HEAP_BYTES {
            return ptr::null_mut();
        }
        // SAFETY: `start` and the block behind it lie inside the heap, as was just checked.
        unsafe { (&raw mut HEAP).cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump(AtomicUsize::new(0));

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// core was compiled for unwinding and names this; with `panic = "abort"` nobody calls it.
// SAFETY: no other symbol of this program has this name.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

// SAFETY: no other symbol of this program has this name.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    loop {}
}
