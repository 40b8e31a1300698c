//! Which of the processor's vector instructions are used: the widest that it has, asked for when the program runs.
//! Read first: [`Path`].

use pulp::{Simd, WithSimd};

/// A set of vector instructions that this processor has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path {
    /// AVX-512, 16 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// AVX2 with FMA, 8 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// Arrays of 8, as the compiler sees fit.
    Portable,
}

impl Path {
    /// The fastest.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return Self::Avx512(simd);
            }
            if let Some(simd) = pulp::x86::V3::try_new() {
                return Self::Avx2(simd);
            }
        }
        Self::Portable
    }

    /// All that can be tested here.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Self> {
        let mut paths = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            paths.extend(pulp::x86::V3::try_new().map(Self::Avx2));
            paths.extend(pulp::x86::V4::try_new().map(Self::Avx512));
        }
        paths
    }

    /// Run `work`, compiled for these instructions.
    pub(crate) fn run<W: WithSimd>(self, work: W) -> W::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, work),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, work),
            Self::Portable => Simd::vectorize(pulp::Scalar256b, work),
        }
    }
}
