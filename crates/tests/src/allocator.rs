//! An allocator that counts: for the tests that say how often something allocates. Each such test is a binary of its own,
//! which takes this file as a module.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what it hands out, and lets the system do it.
pub(crate) struct Counting {
    allocations: AtomicU64,
}

impl Counting {
    /// Nothing counted yet.
    pub(crate) const fn new() -> Self {
        Self { allocations: AtomicU64::new(0) }
    }

    /// How often something was allocated or grown.
    pub(crate) fn count(&self) -> u64 {
        self.allocations.load(Ordering::Relaxed)
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
#[expect(unsafe_code, reason = "a counting allocator is one of the exceptions of the conventions")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocations.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about the layout is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the block came from `System` with this layout.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.allocations.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the block came from `System` with this layout; the size is the caller's.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
