//! The elements of a web page that are open, asked and closed in constant time however many there are.

use std::collections::HashMap;

/// Names of open elements, the outermost first.
#[derive(Debug, Default)]
pub(super) struct OpenElements {
    names: Vec<String>,
    /// Where each name stands in `names`, rising.
    places: HashMap<String, Vec<usize>>,
}

impl OpenElements {
    /// An element begins.
    pub(super) fn open(&mut self, name: String) {
        self.places.entry(name.clone()).or_default().push(self.names.len());
        self.names.push(name);
    }

    /// The innermost element of this name ends, and with it those inside that have no end of their own. A stray end
    /// closes nothing.
    pub(super) fn close(&mut self, name: &str) {
        let Some(at) = self.innermost(name) else { return };
        for closed in self.names.drain(at..) {
            self.places.get_mut(&closed).map(Vec::pop);
        }
    }

    /// Whether one of this name is open.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.innermost(name).is_some()
    }

    /// Where the innermost of this name stands: greater is further in.
    pub(super) fn innermost(&self, name: &str) -> Option<usize> {
        self.places.get(name)?.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_closes_what_is_inside_and_a_stray_one_nothing() {
        let mut open = OpenElements::default();
        for name in ["div", "p", "b", "div", "i"] {
            open.open(name.to_owned());
        }
        open.close("span");
        open.close("div");
        assert!(!open.contains("i") && open.contains("b") && open.innermost("div") == Some(0));
        open.open("i".to_owned());
        assert_eq!(open.innermost("i"), Some(3));
        open.close("p");
        assert!(open.contains("div") && !open.contains("p") && !open.contains("b") && !open.contains("i"));
    }
}
