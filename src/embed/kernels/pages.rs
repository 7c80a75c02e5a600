//! Huge pages for weights: reading all of them touches ten thousand small pages, and their TLB entries.
//!
//! The allocator itself asks for none, because short-lived allocations would keep huge pages from being returned.

/// Asks the kernel to back `numbers` with huge pages, at once if it can.
#[cfg(target_os = "linux")]
pub(crate) fn in_large_pages<T>(numbers: &[T]) {
    const LARGE: usize = 2 << 20;
    let range = numbers.as_ptr_range();
    let (start, end) = (range.start.addr() / LARGE * LARGE, range.end.addr().next_multiple_of(LARGE));
    for advice in [libc::MADV_HUGEPAGE, libc::MADV_COLLAPSE] {
        // SAFETY: the call changes which pages back the memory, not its contents; an unknown advice or address is
        // refused without effect.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(start), end - start, advice) };
    }
}

/// Other systems decide themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn in_large_pages<T>(_: &[T]) {}
