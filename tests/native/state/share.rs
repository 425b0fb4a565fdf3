//! What leaves the page: links that write a text again, posts, pictures, and code for other sites.

use super::*;
use huggingtweets::state::embed_code::{EmbedLoad, EmbedTheme, Embedding, Example, Form};
use huggingtweets::state::recipe::{Recipe, encoded};
use huggingtweets::state::share::SharedText;
use huggingtweets::state::share_picture;
use huggingtweets::state::speaker::Speaker;

const PAGE: &str = "https://example.org/bots/";

/// A page whose five texts are complete.
fn written(settings: &[(Parameter, &str)]) -> PageState {
    let mut state = ready();
    for (parameter, text) in settings {
        state.set_parameter(*parameter, text);
    }
    write(&mut state);
    state
}

fn write(state: &mut PageState) {
    let (job, prompt, params) = params_of(&state.generate(SEED));
    for i in 0..params.num_return_sequences {
        state.update(token(job, i, " to fly"), 0.0);
        state.update(result(job, i, &format!("{prompt} to fly")), 0.0);
    }
    state.update(done(job, false), 0.0);
}

/// The page that a query opens.
fn opened(query: &str) -> PageState {
    let query = query.strip_prefix('?').unwrap();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let address = Address::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    assert_eq!(address.notices, [], "{query}");
    let model = address.model.clone();
    let model = model.map(|model| {
        ModelChoice::new(ModelRef::new(
            model,
            address.endpoint.clone(),
            address.dtype,
        ))
    });
    let mut state = PageState::new(bot::bundled().to_vec(), bundled(), &address, model);
    state.update(started(), 0.0);
    state.load();
    open(&mut state, info());
    state
}

fn of(index: usize) -> Speaker {
    Speaker::Bot(bot::bundled()[index].clone())
}

fn shared(speaker: Speaker, prompt: &str, continuation: &str) -> SharedText {
    SharedText {
        speaker,
        stand_in: None,
        prompt: prompt.to_owned(),
        continuation: continuation.to_owned(),
        link: format!("{PAGE}?bot=huggingtweets/jen_122&text=I+like&n=1&seed=7"),
    }
}

#[test]
fn the_link_of_a_run_sends_the_same_request_again() {
    for settings in [
        &[][..],
        &[
            (Parameter::Temperature, "0,7"),
            (Parameter::NumReturnSequences, "3"),
        ],
        &[
            (Parameter::DoSample, "false"),
            (Parameter::StopAtNewline, "true"),
            (Parameter::Prefix, "a&b=c ü+%"),
            (Parameter::MaxLength, "100"),
            (Parameter::NoRepeatNgramSize, "2"),
        ],
    ] {
        let mut state = written(settings);
        state.edit_prompt("I like & + 🌸 #1");
        assert!(state.link_query().is_some());
        write(&mut state);
        let query = state.link_query().unwrap();
        let (_, prompt, params) = params_of(&state.generate(SEED));
        assert_eq!(state.link_query(), None, "not while it writes");
        let mut again = opened(&query);
        let (_, prompt_again, params_again) = params_of(&again.generate(99));
        assert_eq!((prompt_again, params_again), (prompt, params), "{query}");
    }
}

#[test]
fn there_is_no_link_before_there_are_texts() {
    assert_eq!(ready().link_query(), None);
}

#[test]
fn the_link_of_one_text_writes_it_alone_with_its_own_seed() {
    let state = written(&[]);
    let shared = state.shared(2, PAGE).unwrap();
    let query = shared.link.strip_prefix(PAGE).unwrap();
    assert_eq!(
        query,
        format!(
            "?bot=huggingtweets/jen_122&text=My+dream+is&n=1&seed={}",
            SEED + 2
        )
    );
    let (_, _, params) = params_of(&opened(query).generate(99));
    assert_eq!(
        (params.num_return_sequences, params.seed),
        (1, Some(SEED + 2))
    );
}

#[test]
fn a_continued_text_has_no_seed_in_its_link_and_a_search_writes_all() {
    let mut state = written(&[]);
    let (job, prompt, _) = params_of(&state.continue_tweet(0, 5));
    state.update(result(job, 0, &format!("{prompt} and on")), 0.0);
    state.update(done(job, false), 0.0);
    let link = state.shared(0, PAGE).unwrap().link;
    assert!(
        link.contains("text=My+dream+is") && !link.contains("seed"),
        "{link}"
    );

    let one = |is_search| {
        let recipe = Recipe {
            bot: None,
            model: ModelRef::bundled(),
            mix: None,
            prompt: "a".to_owned(),
            settings: Vec::new(),
            n: Some(3),
            seed: Some(7),
            is_search,
        };
        recipe.of_one(Some(8)).query()
    };
    assert_eq!(one(false), "?text=a&n=1&seed=8");
    assert_eq!(one(true), "?text=a&n=3&seed=7");
}

#[test]
fn a_link_names_the_model_that_wrote_in_its_type_and_from_its_host() {
    let of = |address: &str, endpoint: &str, dtype| {
        let endpoint = endpoint.parse().unwrap();
        let model = ModelRef::parse(address, &endpoint, dtype).unwrap();
        let recipe = Recipe {
            bot: None,
            model: model.clone(),
            mix: None,
            prompt: "a".to_owned(),
            settings: Vec::new(),
            n: None,
            seed: None,
            is_search: false,
        };
        let query = recipe.query();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&query.as_bytes()[1..])
            .into_owned()
            .collect();
        let read = Address::from_pairs(
            pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let again = ModelRef::new(read.model.unwrap(), read.endpoint, read.dtype);
        assert_eq!(again, model, "{query}");
        query
    };
    let hub = "https://huggingface.co";
    assert_eq!(of("me/tiny", hub, Dtype::Auto), "?model=me/tiny&text=a");
    assert_eq!(
        of("me/tiny", hub, Dtype::Q4K),
        "?model=me/tiny&dtype=q4_k&text=a"
    );
    of("me/tiny", "http://127.0.0.1:9000/a", Dtype::Q8_0);
    of(
        "https://huggingface.co/me/tiny/resolve/main/a.gguf",
        hub,
        Dtype::Auto,
    );
    of("https://example.org/x/a.gguf", hub, Dtype::Auto);
    of("https://example.org/folder/", hub, Dtype::Auto);
}

#[test]
fn a_link_to_a_file_of_another_device_names_it() {
    let address = Address::from_pairs([("file", "my bot.gguf"), ("text", "Hi"), ("seed", "3")]);
    let model = ModelChoice::new(ModelRef::of_files(None, vec!["my bot.gguf".to_owned()]));
    let state = PageState::new(bot::bundled().to_vec(), bundled(), &address, Some(model));
    assert_eq!(
        state.speaker().names(),
        ["my bot.gguf"],
        "not under a bot's name"
    );
    assert_eq!(state.texts().prompt, "Hi");
    let told: Vec<String> = state.notices().iter().map(Notice::text).collect();
    assert!(
        told[0].contains("my bot.gguf") && told[0].contains("Open that file"),
        "{told:?}"
    );
    assert!(told[1].contains("writes its texts again"), "{told:?}");
}

#[test]
fn every_setting_of_the_panel_has_a_name_in_the_address() {
    for parameter in Parameter::ON_PANEL {
        let name = parameter.address_name().unwrap();
        assert_eq!(Parameter::from_address_name(name), Some(parameter));
        assert!(Address::names().any(|known| known == name));
    }
    assert_eq!(Parameter::BadWordsIds.address_name(), None);
}

#[test]
fn a_value_in_a_query_is_what_browsers_read() {
    for text in [
        "My dream is",
        "a&b=c#d?e+f%20",
        "土屋 🌸\n\"<>\"",
        "huggingtweets/jen_122",
        "",
    ] {
        let query = format!("text={}", encoded(text));
        let mut read = url::form_urlencoded::parse(query.as_bytes());
        assert_eq!(read.next().unwrap().1, text);
        assert!(query.is_ascii());
    }
}

#[test]
fn a_post_follows_the_originals_rules() {
    let post = shared(of(0), "My dream is", " to fly.\nEverywhere.").post();
    assert_eq!(
        post,
        "Generated by an AI bot of @jen_122 #huggingtweets\nMy dream is → to fly.\nEverywhere."
    );
    let cyborg = shared(of(3), "I like", " it").post();
    assert!(
        cyborg.starts_with("Generated by an AI cyborg of @"),
        "{cyborg}"
    );
    assert_eq!(cyborg.matches(" & @").count(), 2, "{cyborg}");

    // Of a long one the last words go, and line breaks with them; code points count, not bytes.
    let long = shared(of(0), "I like", &" 土屋尚史 🌸 word\n".repeat(40)).post();
    let n = long.chars().count();
    assert!((230..=250).contains(&n), "{n}");
    assert!(long.ends_with('…') && !long.contains('\n'), "{long}");
    let exact = shared(of(0), "I like", &"x".repeat(250 - 61)).post();
    assert!(
        exact.chars().count() <= 250 && exact.contains('\n'),
        "{exact}"
    );
    let word = shared(of(0), "", &"x".repeat(900)).post();
    assert!(word.chars().count() <= 250, "{word}");
}

#[test]
fn networks_get_the_post_and_the_link() {
    let shared = shared(of(0), "My dream is", " a & b #c");
    let query_of = |address: &str| -> Vec<(String, String)> {
        let url = url::Url::parse(address).unwrap();
        url.query_pairs().into_owned().collect()
    };
    let x = query_of(&shared.x_address());
    assert_eq!(x[0], ("text".to_owned(), shared.post()));
    assert_eq!(x[1], ("url".to_owned(), shared.link.clone()));
    let whole = format!("{}\n{}", shared.post(), shared.link);
    let bluesky = shared.bluesky_address();
    assert!(bluesky.starts_with("https://bsky.app/intent/compose?"));
    assert_eq!(query_of(&bluesky)[0].1, whole);
    for (typed, host) in [
        ("mastodon.social", "mastodon.social"),
        (" https://Fosstodon.org/ ", "fosstodon.org"),
    ] {
        let address = shared.mastodon_address(typed).unwrap();
        assert!(
            address.starts_with(&format!("https://{host}/share?text=")),
            "{address}"
        );
        assert_eq!(query_of(&address)[0].1, whole);
    }
    for wrong in [
        "",
        "social",
        "a b.c",
        "evil.example/x?",
        "javascript:alert(1)",
        "a..b",
        "-a.b",
    ] {
        assert_eq!(shared.mastodon_address(wrong), None, "{wrong}");
    }
}

#[test]
fn a_copied_text_says_who_made_it_and_where() {
    let copied = shared(of(0), "I like", " it").quotation();
    assert!(copied.starts_with(
        "I like it\n— generated by an AI bot of @jen_122, not written by a person\nhttps://"
    ));
    let of_stand_in = SharedText {
        stand_in: Some("small model of old books".to_owned()),
        ..shared(of(0), "I like", " it")
    };
    let author = "an AI bot of @jen_122 (small model of old books)";
    assert!(of_stand_in.quotation().contains(author));
    assert!(
        of_stand_in
            .post()
            .starts_with(&format!("Generated by {author} #"))
    );
    let picture = share_picture::svg(&of_stand_in, &half);
    assert!(picture.contains("Generated by small model of old books, not written by a person"));
    let file = ModelRef::of_files(None, vec!["me\u{202e}.gguf".to_owned()]);
    let model = Speaker::Model(ModelChoice::new(file));
    let copied = shared(model, "I like", " it").quotation();
    assert!(
        copied.contains("generated by the language model me.gguf") && !copied.contains('\u{202e}')
    );
}

/// Widths of a font in which each letter is half as wide as high.
fn half(text: &str, _weight: &str) -> f64 {
    text.chars().count() as f64 / 2.0
}

/// The texts of an SVG, one a line, and its largest right end by [`half`].
fn lines(svg: &str) -> Vec<String> {
    let texts = svg.split("<text ").skip(1);
    texts
        .map(|text| {
            let (_, text) = text.split_once('>').unwrap();
            let (text, _) = text.split_once("</text>").unwrap();
            let mut plain = String::new();
            let mut is_tag = false;
            for c in text.chars() {
                match c {
                    '<' => is_tag = true,
                    '>' => is_tag = false,
                    c if !is_tag => plain.push(c),
                    _ => {}
                }
            }
            plain
        })
        .collect()
}

#[test]
fn a_picture_shows_who_what_and_that_it_is_generated() {
    for (index, label) in [(0, "🤖 AI BOT 🤖"), (3, "🤖 AI CYBORG 🤖")] {
        let shared = shared(
            of(index),
            "I like",
            " <b>tags</b> & \"quo\u{7}tes\"\nand a line",
        );
        let svg = share_picture::svg(&shared, &half);
        assert!(svg.starts_with(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1200\" height=\"628\""
        ));
        assert!(!svg.contains("<b>") && !svg.contains('\u{7}') && !svg.contains("foreignObject"));
        let lines = lines(&svg);
        let has = |text: &str| lines.iter().any(|line| line == text);
        let names = shared.speaker.names();
        assert_eq!(svg.matches("dominant-baseline").count(), names.len());
        assert!(has(label), "{lines:?}");
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&names[0].chars().take(6).collect::<String>()))
        );
        assert!(
            has("I like &lt;b&gt;tags&lt;/b&gt; &amp; &quot;quo tes&quot;") && has("and a line"),
            "{lines:?}"
        );
        assert!(has(
            "Generated by a language model, not written by a person"
        ));
        assert!(
            svg.contains("<tspan font-weight=\"700\">I like </tspan>"),
            "{svg}"
        );
    }
}

#[test]
fn a_picture_has_the_colours_of_the_page() {
    let svg = share_picture::svg(&shared(of(0), "I like", " it"), &half);
    // What Chromium 156 paints for oklch(50% .14 355) and oklch(95.5% .022 355).
    assert_eq!(bot::hue("jen_122"), 355);
    assert!(
        svg.contains("\"#9d3a67\"") && svg.contains("\"#fdeaf1\""),
        "{svg}"
    );
}

#[test]
fn the_words_of_a_picture_are_joined_and_parted_as_in_the_text() {
    for (prompt, continuation, shown) in [
        ("This is un", "believable", "This is unbelievable"),
        ("I like ", "it", "I like it"),
        (
            "See",
            " example.org/a-long/address-of-a-page",
            "example.org/a-long/address-of-a-page",
        ),
        ("今日は", "いい天気ですね。", "今日はいい天気ですね。"),
    ] {
        let svg = share_picture::svg(&shared(of(0), prompt, continuation), &half);
        assert!(
            lines(&svg).iter().any(|line| line == shown),
            "{:?}",
            lines(&svg)
        );
    }
    // A line ends between the characters of a script without spaces, and between words of others; an emoji stays whole.
    let family = "👩\u{200d}👩\u{200d}👧";
    for (text, parts) in [
        ("あいうえおかきくけこ、".repeat(9), vec!["あ", "、"]),
        (
            "incomprehensibilities ".repeat(12),
            vec!["incomprehensibilities"],
        ),
        (family.repeat(60), vec![family]),
    ] {
        let svg = share_picture::svg(&shared(of(0), "", &text), &half);
        let lines = lines(&svg);
        let of_text = lines.iter().filter(|line| line.contains(parts[0]));
        let mut n_lines = 0;
        for line in of_text {
            n_lines += 1;
            assert!(
                !line.starts_with('、')
                    && !line.starts_with('\u{200d}')
                    && !line.ends_with('\u{200d}'),
                "{line}"
            );
            if parts.len() == 1 {
                let rest = line.trim_end_matches('…').replace(parts[0], "");
                assert_eq!(rest.trim(), "", "{line}");
            }
        }
        assert!(n_lines > 1, "{lines:?}");
    }
}

#[test]
fn a_text_of_any_length_stays_inside_its_picture() {
    for continuation in [
        " short",
        &" some words".repeat(30),
        &" many more words".repeat(300),
        &"土".repeat(2000),
        &"x".repeat(500),
        "",
    ] {
        let shared = shared(of(0), "I like", continuation);
        let svg = share_picture::svg(&shared, &half);
        for text in svg.split("<text ").skip(1) {
            let attribute = |name: &str| -> Option<f64> {
                let (_, rest) = text.split_once(&format!("{name}=\""))?;
                rest.split('"').next()?.parse().ok()
            };
            let (y, size) = (attribute("y").unwrap(), attribute("font-size").unwrap());
            assert!(y > 0.0 && y < 628.0, "{y}");
            let line = &lines(&format!("<text {text}"))[0];
            let width = size * half(line, "");
            assert!(
                attribute("x").unwrap() + width <= 1200.0 || text.contains("anchor"),
                "{line} at {size}"
            );
        }
        let shown = lines(&svg);
        let is_cut = continuation.len() > 1000;
        assert_eq!(
            shown.iter().any(|line| line.ends_with('…')),
            is_cut,
            "{} bytes",
            continuation.len()
        );
    }
    let rtl = share_picture::svg(&shared(of(0), "שלום", " עולם"), &half);
    assert!(rtl.contains("direction=\"rtl\""));
}

fn embedding() -> Embedding {
    Embedding {
        bot: "huggingtweets/jen_122".to_owned(),
        prompt: "I \"like\" <it> &".to_owned(),
        width: None,
        height: 640,
        theme: EmbedTheme::Auto,
        load: EmbedLoad::Click,
        examples: Vec::new(),
    }
}

#[test]
fn the_makers_code_holds_only_what_differs_from_the_defaults() {
    let code = embedding().code(Form::Element, PAGE);
    assert_eq!(
        code,
        "<script type=\"module\" src=\"https://example.org/bots/embed.js\"></script>\n\
         <huggingtweets-bot bot=\"huggingtweets/jen_122\" text=\"I &quot;like&quot; &lt;it&gt; &amp;\"></huggingtweets-bot>"
    );
    let chosen = Embedding {
        width: Some(420),
        theme: EmbedTheme::Dark,
        load: EmbedLoad::Visible,
        ..embedding()
    };
    let code = chosen.code(Form::Element, PAGE);
    for part in [
        " theme=\"dark\"",
        " load=\"visible\"",
        " style=\"max-width: 420px\"",
    ] {
        assert!(code.contains(part), "{code}");
    }
    let frame = chosen.code(Form::Frame, PAGE);
    assert!(
        frame.starts_with("<iframe src=\"https://example.org/bots/index.html?view=embed&amp;bot=huggingtweets/jen_122&amp;text=I+%22like%22"),
        "{frame}"
    );
    assert!(
        frame.contains("theme=dark\"") && frame.contains("width=\"420\" height=\"640\""),
        "{frame}"
    );
    assert_eq!(
        chosen.code(Form::Address, PAGE),
        "https://example.org/bots/bot/huggingtweets/jen_122/"
    );
}

#[test]
fn examples_are_texts_of_this_page_with_their_model_and_day() {
    let mut state = written(&[]);
    let date = "2026-11-29";
    let examples = state.examples(0, date);
    assert_eq!(examples.len(), 5);
    assert_eq!(
        examples[0],
        Example {
            text: "My dream is to fly".to_owned(),
            author: "an AI bot of @jen_122".to_owned(),
            model: ModelRef::bundled().name(),
            date: date.to_owned(),
        }
    );
    assert_eq!(state.examples(1, date), [], "another bot wrote nothing");
    assert_eq!(state.examples(99, date), []);
    state.generate(SEED);
    assert_eq!(state.examples(0, date), [], "unfinished texts are none");

    let embedding = Embedding {
        examples: vec![Example {
            text: "a <script>\nb".to_owned(),
            ..examples[0].clone()
        }],
        ..embedding()
    };
    let code = embedding.code(Form::Element, PAGE);
    assert!(
        code.contains("<p dir=\"auto\">a &lt;script&gt;<br>b</p>"),
        "{code}"
    );
    let mark = format!(
        "Generated by an AI bot of @jen_122 ({}), 2026-11-29. No person wrote it.",
        ModelRef::bundled().name()
    );
    assert!(code.contains(&mark), "{code}");
}

#[test]
fn a_link_of_two_mixed_bots_holds_the_share_of_the_first() {
    let recipe = Recipe {
        bot: Some("this-device/a.b".to_owned()),
        model: ModelRef::bundled(),
        mix: Some(70),
        prompt: "a".to_owned(),
        settings: Vec::new(),
        n: None,
        seed: Some(7),
        is_search: false,
    };
    assert!(recipe.query().contains("&mix=70&"), "{}", recipe.query());
    let mix = |value| Address::from_pairs([("mix", value)]);
    assert_eq!(mix("70").mix, Some(70));
    for wrong in ["101", "-1", "70%", ""] {
        let address = mix(wrong);
        assert_eq!((address.mix, address.notices.len()), (None, 1), "{wrong}");
    }
}
