//! Lets a build by plain cargo on macOS leave Python's symbols to the interpreter that loads the module, as maturin does.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
