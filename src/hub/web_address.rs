//! `WebAddress`: an `http(s)` address, parsed and checked.

use crate::shown::beginning;

/// Longest address that is accepted, in bytes.
pub const MAX_BYTES: usize = 2048;

/// An `http(s)` address in ASCII, without user, password and `..`. Its fragment is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    /// `http` or `https`.
    scheme: &'static str,
    /// Host and port, in lower case.
    authority: String,
    /// From the first `/`, percent-encoded; `/` if the address has none.
    path: String,
    /// With its `?`, or empty.
    query: String,
}

/// Why a text is not a [`WebAddress`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebAddressError {
    /// Longer than [`MAX_BYTES`].
    #[error("this address is {len} bytes long, at most {MAX_BYTES} are taken")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Neither `http:` nor `https:`.
    #[error("an address begins with https:// or http://, this one with \"{scheme}\"")]
    Scheme {
        /// The scheme, cut after 20 characters.
        scheme: String,
    },
    /// `user:password@host`.
    #[error("this address holds a user name or password before an @")]
    UserInfo,
    /// The host is empty or malformed.
    #[error("\"{host}\" is no host")]
    Host {
        /// The host, cut after 80 characters.
        host: String,
    },
    /// A space, a letter beyond ASCII, a quote, a backslash, a broken `%` escape.
    #[error("this address holds a character that an address must escape")]
    Characters,
    /// `..`, literal or percent-encoded.
    #[error("this address has a part that leads elsewhere, such as `..`")]
    Traversal,
}

impl WebAddressError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "give the address of the model alone",
            Self::Scheme { .. } | Self::Host { .. } | Self::Characters => {
                "copy it from the browser's address bar"
            }
            Self::UserInfo => "leave them out, files are fetched without any",
            Self::Traversal => "give the address without it",
        }
    }
}

impl WebAddress {
    /// Parses `text`; spaces around it are ignored.
    ///
    /// # Errors
    /// [`WebAddressError`], each variant for its cause.
    pub fn parse(text: &str) -> Result<Self, WebAddressError> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(WebAddressError::TooLong { len: text.len() });
        }
        let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => "https",
            "http" => "http",
            _ => {
                return Err(WebAddressError::Scheme {
                    scheme: beginning(scheme, 20),
                });
            }
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let is_plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        if !rest.bytes().all(is_plain) {
            return Err(WebAddressError::Characters);
        }
        let (authority, path_and_query) =
            rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) =
            path_and_query.split_at(path_and_query.find('?').unwrap_or(path_and_query.len()));
        if authority.contains('@') {
            return Err(WebAddressError::UserInfo);
        }
        if !is_authority(authority) {
            return Err(WebAddressError::Host {
                host: beginning(authority, 80),
            });
        }
        for part in path.split('/') {
            let decoded = percent_decoded(part).ok_or(WebAddressError::Characters)?;
            if decoded == b"." || decoded == b".." {
                return Err(WebAddressError::Traversal);
            }
            if decoded
                .iter()
                .any(|b| b"/\\".contains(b) || b.is_ascii_control())
            {
                return Err(WebAddressError::Characters);
            }
        }
        Ok(Self {
            scheme,
            authority: authority.to_ascii_lowercase(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: query.to_owned(),
        })
    }

    /// Host and port in lower case, without a leading `www.`.
    #[must_use]
    pub fn site(&self) -> &str {
        self.authority
            .strip_prefix("www.")
            .unwrap_or(&self.authority)
    }

    /// The non-empty segments of the path, percent-decoded where that gives UTF-8.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| {
                percent_decoded(part)
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .unwrap_or_else(|| part.to_owned())
            })
            .collect()
    }

    /// The whole address, without a fragment.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.without_query(), self.query)
    }

    /// The address without query.
    #[must_use]
    pub fn without_query(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path)
    }
}

/// Whether this is a host name, an IPv4 or a bracketed IPv6 address, with an optional port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rfind(':') {
        // The colons of an IPv6 address are inside the brackets.
        Some(colon) if !text[colon..].contains(']') => (&text[..colon], Some(&text[colon + 1..])),
        _ => (text, None),
    };
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(ipv6) => ipv6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.starts_with(['.', '-'])
                && !host.contains("..")
                && (1..=253).contains(&host.len())
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        }
    };
    is_host && port.is_none_or(is_port)
}

/// `None` for a `%` without two hexadecimal digits behind it.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        decoded.push(u8::try_from(value).ok()?);
    }
    Some(decoded)
}
