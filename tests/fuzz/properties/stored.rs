//! A database with bytes changed, where each six bytes say where and what: no panic; what is still served was written.

use std::path::{Path, PathBuf};

use ibid::embed::Embedder;
use ibid::library::{Corpus, Library};
use ibid::settings;
use ibid::shelf::embedded::inspect::Inspection;

/// The sample articles, as they were written.
pub(crate) struct Written {
    folder: PathBuf,
    database: Vec<u8>,
    texts: Vec<(String, String)>,
}

impl Written {
    pub(crate) fn into(folder: &Path) -> Self {
        let mut settings = settings::resolve(None, std::iter::empty(), vec![]).expect("the defaults are settings");
        folder.clone_into(&mut settings.library.data);
        let library = Library::open(settings, Embedder::bundled().expect("the model")).expect("a library");
        library.ingest(&Corpus::Bundled, &|_| ()).expect("the samples");
        let articles = library.shelf().articles(0, 1000).expect("articles");
        drop(library);
        let texts = articles.into_iter().map(|stored| (stored.id.0, stored.article.text)).collect();
        let database = std::fs::read(folder.join("ibid.sqlite")).expect("a database");
        Self { folder: folder.to_owned(), database, texts }
    }

    pub(crate) fn hold(&self, data: &[u8]) {
        let mut changed = self.database.clone();
        for change in data.chunks_exact(6) {
            let place = u32::from_le_bytes([change[0], change[1], change[2], change[3]]) as usize % changed.len();
            changed[place] = if change[4] & 1 == 0 { changed[place] ^ change[5] } else { change[5] };
        }
        let data = self.folder.join("changed");
        std::fs::create_dir_all(&data).expect("a folder");
        std::fs::write(data.join("ibid.sqlite"), &changed).expect("a file");
        let Ok(inspection) = Inspection::open(&data) else { return };
        match inspection.damage(false) {
            Ok(found) if found.is_empty() => {}
            _ => return,
        }
        let Ok(articles) = inspection.current(0, 1000) else { return };
        for stored in articles {
            let written = self.texts.iter().find(|(id, _)| *id == stored.id.0);
            assert!(written.is_some_and(|(_, text)| *text == stored.article.text), "another text is served as sound");
        }
    }
}
