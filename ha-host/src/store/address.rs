//! Where a store is, and how it is opened.

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use super::{ClusterSettings, EtcdAddress, EtcdStore, FileStore, SharedStore, StoreError};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// `file:DIRECTORY`, a [`FileStore`].
    File(PathBuf),
    /// `etcd://HOST:PORT,HOST:PORT/PREFIX`, or `etcd+https://`, an [`EtcdStore`].
    Etcd(EtcdAddress),
}

impl StoreAddress {
    /// How long a person waits for this store: in a directory somebody else may be in the middle of an edit, while etcd answers
    /// in milliseconds, or not at all.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        match self {
            Self::File(_) => Duration::from_secs(10),
            Self::Etcd(_) => Duration::from_secs(2),
        }
    }

    /// Opens the store of a cluster. It waits no longer than `patience` for others and for an answer; a daemon must not wait
    /// longer than its watchdog.
    ///
    /// # Errors
    ///
    /// If there is no cluster, or the store can't be reached.
    pub fn open(&self, patience: Duration) -> Result<Arc<dyn SharedStore>, StoreError> {
        match self {
            Self::File(directory) => Ok(Arc::new(FileStore::open(directory)?.with_patience(patience))),
            Self::Etcd(address) => Ok(Arc::new(EtcdStore::open(address, patience)?)),
        }
    }

    /// Makes the store of a new cluster.
    ///
    /// # Errors
    ///
    /// If there is one already, or the store can't be reached.
    pub fn create(&self, settings: &ClusterSettings) -> Result<(), StoreError> {
        match self {
            Self::File(directory) => FileStore::create(directory, settings).map(drop),
            Self::Etcd(address) => EtcdStore::create(address, settings, self.patience()),
        }
    }
}

impl FromStr for StoreAddress {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let bad = || StoreError::BadAddress(text.into());
        if let Some(directory) = text.strip_prefix("file:") {
            return if directory.is_empty() { Err(bad()) } else { Ok(Self::File(directory.into())) };
        }
        let (rest, is_encrypted) = match text.strip_prefix("etcd://") {
            Some(rest) => (rest, false),
            None => (text.strip_prefix("etcd+https://").ok_or_else(bad)?, true),
        };
        let address = EtcdAddress::read(rest, is_encrypted).ok_or_else(bad)?;
        let address = address.map_err(|problem| StoreError::BadAddressOption { address: text.into(), problem })?;
        Ok(Self::Etcd(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EtcdLogin, EtcdTls};

    #[test]
    fn an_address_says_where_the_store_is() {
        assert_eq!("file:/srv/ha".parse::<StoreAddress>().unwrap(), StoreAddress::File("/srv/ha".into()));
        let etcd = |endpoints: &[&str], prefix: &str| {
            StoreAddress::Etcd(EtcdAddress {
                endpoints: endpoints.iter().map(|endpoint| (*endpoint).to_owned()).collect(),
                prefix: prefix.into(),
                tls: None,
                login: None,
            })
        };
        let parsed = |text: &str| text.parse::<StoreAddress>().unwrap();
        assert_eq!(parsed("etcd://a:2379,b:2379/my/cluster"), etcd(&["a:2379", "b:2379"], "my/cluster"));
        assert_eq!(parsed("etcd://[::1]:2379"), etcd(&["[::1]:2379"], "ha"));
        for bad in [
            "",
            "/srv/ha",
            "file:",
            "etcd://",
            "etcd://a",
            "etcd://a:2379,",
            "etcd://a:2379/",
            "etcd://a@b:2379",
            "http://a:1",
        ] {
            assert!(matches!(bad.parse::<StoreAddress>(), Err(StoreError::BadAddress(_))), "{bad}");
        }
    }

    #[test]
    fn an_address_in_etcd_names_files_and_a_user() {
        let text = "etcd+https://a:2379,b:2379/ha?ca=/e/ca.pem,cert=/e/c.pem,key=/e/k.pem,user=ha,password-file=/e/pw";
        let StoreAddress::Etcd(address) = text.parse::<StoreAddress>().unwrap() else { panic!("it is in etcd") };
        let client = Some(("/e/c.pem".into(), "/e/k.pem".into()));
        assert_eq!(address.tls, Some(EtcdTls { ca: "/e/ca.pem".into(), client }));
        assert_eq!(address.login, Some(EtcdLogin { user: "ha".into(), password_file: "/e/pw".into() }));
        assert!(
            "etcd://127.0.0.1:1,[::1]:2,localhost:3/ha?user=ha,password-file=/e/pw".parse::<StoreAddress>().is_ok()
        );
        for (bad, says) in [
            ("etcd+https://a:2379", "needs ca=FILE"),
            ("etcd+https://a:2379/ha?ca=ca.pem", "absolute path"),
            ("etcd+https://a:2379/ha?ca=/ca.pem,ca=/ca.pem", "given twice"),
            ("etcd+https://a:2379/ha?ca=/ca.pem,cert=/c.pem", "go together"),
            ("etcd+https://a:2379/ha?ca=/ca.pem,user=ha", "go together"),
            ("etcd+https://a:2379/ha?ca=/ca.pem,user=,password-file=/pw", "names nobody"),
            ("etcd+https://a:2379/ha?ca=/ca.pem,password=secret", "is no option"),
            ("etcd://a:2379/ha?ca=/ca.pem", "etcd+https:// only"),
            ("etcd://127.0.0.1:1,a:2379/ha?user=ha,password-file=/pw", "unencrypted"),
        ] {
            let error = bad.parse::<StoreAddress>().unwrap_err();
            assert!(matches!(error, StoreError::BadAddressOption { .. }), "{bad}");
            assert!(error.to_string().contains(says), "{bad}: {error}");
        }
    }
}
