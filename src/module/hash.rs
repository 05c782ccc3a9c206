//! SHA-256, SHA-384 and SHA-512 (FIPS 180-4) in the module, by its EVP interface.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::{c_int, c_uint};
use std::fmt;
use std::ptr::{self, NonNull};

use aws_lc_fips_sys::{
    BORINGSSL_self_test, EVP_DigestFinal_ex, EVP_DigestInit_ex, EVP_DigestUpdate, EVP_MAX_MD_SIZE,
    EVP_MD, EVP_MD_CTX, EVP_MD_CTX_copy_ex, EVP_MD_CTX_free, EVP_MD_CTX_new, EVP_sha256,
    EVP_sha384, EVP_sha512,
};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Function {
    /// Returns the module's table of the function, which is never freed.
    pub(super) fn table(self) -> *const EVP_MD {
        // SAFETY: these take nothing and return the address of static data.
        unsafe {
            match self {
                Function::Sha256 => EVP_sha256(),
                Function::Sha384 => EVP_sha384(),
                Function::Sha512 => EVP_sha512(),
            }
        }
    }
}

/// A message being hashed, or as it was after its last byte.
pub struct Hash {
    context: NonNull<EVP_MD_CTX>,
    function: Function,
}

// SAFETY: the context is memory of its own and knows no thread; `&Hash` only lets it be copied
// from, which changes nothing in it.
unsafe impl Send for Hash {}
// SAFETY: as above.
unsafe impl Sync for Hash {}

impl Hash {
    /// Begins an empty message.
    pub fn new(function: Function) -> Hash {
        let context = empty();
        // SAFETY: the context is live and empty, the table static, and there is no engine.
        let done =
            unsafe { EVP_DigestInit_ex(context.as_ptr(), function.table(), ptr::null_mut()) };
        has_memory(done);
        Hash { context, function }
    }

    /// Returns the function.
    pub fn function(&self) -> Function {
        self.function
    }

    /// Adds bytes, of any number.
    pub fn update(&mut self, bytes: &[u8]) {
        // SAFETY: the context was begun and is ours alone; the bytes are live for the call.
        let done =
            unsafe { EVP_DigestUpdate(self.context.as_ptr(), bytes.as_ptr().cast(), bytes.len()) };
        has_memory(done);
    }

    /// Returns the digest of what was added so far. `N` is its length: 32, 48 or 64 bytes.
    pub fn digest<const N: usize>(&self) -> [u8; N] {
        let copy = self.clone();
        let (mut bytes, mut length) = ([0; EVP_MAX_MD_SIZE as usize], c_uint::default());
        // SAFETY: the copy is live and ours alone, and no digest is longer than EVP_MAX_MD_SIZE.
        let done = unsafe {
            EVP_DigestFinal_ex(copy.context.as_ptr(), bytes.as_mut_ptr(), &raw mut length)
        };
        has_memory(done);
        std::array::from_fn(|at| bytes[at])
    }

    /// Returns the context, to join a key to it or to end it.
    pub(super) fn context_mut(&mut self) -> *mut EVP_MD_CTX {
        self.context.as_ptr()
    }
}

impl Clone for Hash {
    fn clone(&self) -> Hash {
        let context = empty();
        // SAFETY: both contexts are live, and the one that is written is ours alone.
        let done = unsafe { EVP_MD_CTX_copy_ex(context.as_ptr(), self.context.as_ptr()) };
        has_memory(done);
        Hash {
            context,
            function: self.function,
        }
    }
}

impl Drop for Hash {
    fn drop(&mut self) {
        // SAFETY: the context came from EVP_MD_CTX_new and is freed once.
        unsafe { EVP_MD_CTX_free(self.context.as_ptr()) }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.function)
    }
}

/// Returns a context in which nothing was begun.
fn empty() -> NonNull<EVP_MD_CTX> {
    // Initializes the module, once.
    aws_lc_rs::init();
    // SAFETY: takes nothing, returns memory of its own or nothing.
    NonNull::new(unsafe { EVP_MD_CTX_new() }).unwrap_or_else(|| out_of_memory())
}

/// Ends the process, as Rust does, if there was no memory: all that a hash can fail for. Fail
/// closed: it must not go on, or bytes would be missing from the message.
fn has_memory(done: c_int) {
    if done != 1 {
        out_of_memory();
    }
}

fn out_of_memory() -> ! {
    handle_alloc_error(Layout::new::<EVP_MD_CTX>())
}

/// Runs the module's self-tests.
pub(super) fn self_tests_pass() -> bool {
    aws_lc_rs::init();
    // SAFETY: takes nothing, and may be called at any time.
    unsafe { BORINGSSL_self_test() == 1 }
}
