//! The page for people: static files, built in, that use the interface like any other client.

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Its name below `/page/`; the page itself, which is served at `/`, is `index.html`.
    pub name: &'static str,
    /// Its content.
    pub content: &'static [u8],
}

impl File {
    /// Its type, by the end of its name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "html")) => "text/html; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            Some(_) | None => "application/octet-stream",
        }
    }
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(File { name: $name, content: include_bytes!(concat!("../page/", $name)) }),*]
    };
}

/// All files of the page.
// tidy: table
pub const FILES: &[File] = files![
    "index.html"
    "icon.svg"
    "tokens.css"
    "page.css"
    "actions.js"
    "api.js"
    "chip.js"
    "cluster.js"
    "crowd.js"
    "dialog.js"
    "dom.js"
    "events.js"
    "facts.js"
    "feed.js"
    "finder.js"
    "frame.js"
    "glyphs.js"
    "history.js"
    "login.js"
    "main.js"
    "nodes.js"
    "play.js"
    "rule-editor.js"
    "rule-graph.js"
    "rules.js"
    "service.js"
    "services.js"
    "state.js"
    "stream.js"
    "texts.js"
    "verdict.js"
    "virtual.js"
    "worker.js"
    "texts/en.js"
    "texts/zh.js"
];

/// The file that a path means.
#[must_use]
pub fn find(path: &str) -> Option<&'static File> {
    let name = if path == "/" { "index.html" } else { path.strip_prefix("/page/")? };
    FILES.iter().find(|file| file.name == name)
}

/// What the page may do: run and show what comes from this server, and nothing else. What is written in it is no script and no style.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn names(folder: &Path, before: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{before}{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                names(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let mut there = BTreeSet::new();
        names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("page"), "", &mut there);
        let served: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(served, there);
        assert!(FILES.iter().all(|file| file.kind() != "application/octet-stream"));
    }

    #[test]
    fn nothing_else_is_a_file_of_the_page() {
        assert_eq!(find("/").map(|file| file.name), Some("index.html"));
        assert_eq!(find("/page/texts/en.js").map(|file| file.name), Some("texts/en.js"));
        assert!(find("/page/").is_none() && find("/page/../Cargo.toml").is_none() && find("/index.html").is_none());
    }
}
