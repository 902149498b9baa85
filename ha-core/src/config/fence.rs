//! stand-in
use crate::id::NodeName;
use alloc::{string::String, vec::Vec};
/// .
#[derive(Debug, Clone, Default)]
pub struct FenceConfig;
/// .
pub type FenceCommand = Vec<String>;
impl FenceConfig {
    /// .
    pub fn commands(&self, _node: &NodeName, _try: usize) -> Vec<FenceCommand> {
        Vec::new()
    }
}
