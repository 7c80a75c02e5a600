//! Large pages for numbers that are read again and again: going through weights crosses ten thousand small ones.
//!
//! The allocator asks for none: what comes and goes would be spread over large pages, which are never given
//! back as long as anything lies in them.

/// Asks the system to have `numbers` in large pages, and what lies beside them there; at once, if it can.
#[cfg(target_os = "linux")]
pub(crate) fn in_large_pages<T>(numbers: &[T]) {
    const LARGE: usize = 2 << 20;
    let range = numbers.as_ptr_range();
    let (start, end) = (range.start.addr() / LARGE * LARGE, range.end.addr().next_multiple_of(LARGE));
    for advice in [libc::MADV_HUGEPAGE, libc::MADV_COLLAPSE] {
        // SAFETY: it changes which pages hold memory and nothing in it, and is refused for what is none. Where the
        // system knows it not, or will not, all is as before.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(start), end - start, advice) };
    }
}

/// Elsewhere the system decides.
#[cfg(not(target_os = "linux"))]
pub(crate) fn in_large_pages<T>(_: &[T]) {}
