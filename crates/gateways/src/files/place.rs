//! The address of a bucket.

/// Whose API opens a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// S3: Amazon's, and that of whatever else speaks it.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure's Blob Storage, which calls a bucket a container.
    Azure,
}

/// A bucket, and what of it is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'u> {
    /// Whose it is.
    pub api: Api,
    /// Its name.
    pub bucket: &'u str,
    /// What every key begins with, without a slash at either end; empty where the whole bucket is ours.
    pub prefix: &'u str,
}

/// The place of an `s3://`, `gs://` or `az://` address, if it is one that can be.
pub fn bucket_of(url: &str) -> Option<Place<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    // What a name may hold beside letters and digits, and whether large letters are among them.
    let (api, others, large) = match scheme {
        "s3" => (Api::S3, ".-_", true),
        "gs" => (Api::Google, ".-_", false),
        "az" => (Api::Azure, "-", false),
        _ => return None,
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let of = |text: &str, others: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
    let is_bucket = (3..=63).contains(&bucket.len())
        && of(bucket, others)
        && !bucket.starts_with(['.', '-'])
        && (large || !bucket.contains(|c: char| c.is_ascii_uppercase()));
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && of(part, ".-_");
    let is_prefix = prefix.is_empty() || (prefix.len() <= 200 && prefix.split('/').all(is_part));
    (is_bucket && is_prefix).then_some(Place { api, bucket, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_have_a_prefix_that_leads_nowhere_else() {
        let place = |api, bucket, prefix| Some(Place { api, bucket, prefix });
        for (url, expected) in [
            ("s3://pitlane", place(Api::S3, "pitlane", "")),
            ("s3://pitlane/", place(Api::S3, "pitlane", "")),
            ("s3://pit.lane-1/a/b_c/", place(Api::S3, "pit.lane-1", "a/b_c")),
            ("s3://Pitlane", place(Api::S3, "Pitlane", "")),
            ("gs://pit_lane.example/a", place(Api::Google, "pit_lane.example", "a")),
            ("az://pitlane-1/up/loads", place(Api::Azure, "pitlane-1", "up/loads")),
        ] {
            assert_eq!(bucket_of(url), expected, "{url}");
        }
    }

    #[test]
    fn what_can_be_no_bucket_is_none() {
        for url in [
            "s3://pitlane//a",
            "s3://pitlane/../b",
            "s3://pitlane/a?b",
            "s3://key:secret@pitlane",
            "s4://pitlane",
            "gs://Pitlane",
            "gs://",
            "gs://key@pitlane",
            "az://pit.lane",
            "az://pit_lane",
            "az://Pitlane",
            "az://pitlane@account.blob.core.windows.net",
            "azure://pitlane",
            "abfs://pitlane",
            "https://account.blob.core.windows.net/pitlane",
            "pitlane",
        ] {
            assert_eq!(bucket_of(url), None, "{url}");
        }
    }
}
