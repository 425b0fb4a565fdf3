//! Cards: the five published ones, synthetic ones of every generation, garbled ones, hostile ones.

use crate::support::shared;
use std::path::PathBuf;

use huggingtweets::bot;
use huggingtweets::card::error::{CardError, MAX_CARD_BYTES, MAX_LINE_BYTES};
use huggingtweets::card::mojibake::{self, CodePage};
use huggingtweets::card::read::read;
use huggingtweets::card::write::{self, CardFacts, CardWriteError};
use huggingtweets::card::{AccountData, Card, Label, Links};
use huggingtweets::file_kind::FileKind;
use huggingtweets::hub::RepoId;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn account(name: &str, [downloaded, retweets, short, kept]: [u32; 4]) -> AccountData {
    AccountData {
        name: name.to_owned(),
        downloaded,
        retweets,
        short,
        kept,
    }
}

/// A published card, from what differs between them.
struct Published {
    handle: &'static str,
    generation: u8,
    accounts: &'static [(&'static str, [u32; 4])],
    thumbnail: &'static str,
    avatars: &'static [&'static str],
    data_run: &'static str,
    training_run: &'static str,
}

const PUBLISHED: [Published; 5] = [
    Published {
        handle: "jen_122",
        generation: 4,
        accounts: &[("Jen 🌸", [3206, 1337, 137, 1732])],
        thumbnail: "https://www.huggingtweets.com/jen_122/1628851017758/predictions.png",
        avatars: &["1407394105966088198/wb4S3Yea"],
        data_run: "1ikjihay",
        training_run: "1by45dby",
    },
    Published {
        handle: "empressrandom",
        generation: 4,
        accounts: &[("Random Empress Theresa", [3250, 29, 34, 3187])],
        thumbnail: "https://github.com/borisdayma/huggingtweets/blob/master/img/logo.png?raw=true",
        avatars: &["1046186115647115264/wc7kB-PY"],
        data_run: "m6jr1ywy",
        training_run: "h29snzrp",
    },
    Published {
        handle: "snackmerritt",
        generation: 3,
        accounts: &[(
            "Jack \"Knows Nothing About Politics\" Merritt🗳🍦",
            [3244, 388, 548, 2308],
        )],
        thumbnail: "https://www.huggingtweets.com/snackmerritt/1616888395440/predictions.png",
        avatars: &["1371627947069739010/vX4nm8l-"],
        data_run: "mjo4ke89",
        training_run: "18xtt8zh",
    },
    Published {
        handle: "kr00ney-nerdwallet-producthunt",
        generation: 4,
        accounts: &[
            ("Product Hunt 😸", [3250, 92, 234, 2924]),
            ("Kate Rooney", [2622, 896, 125, 1601]),
            ("NerdWallet", [3234, 713, 22, 2499]),
        ],
        thumbnail: "https://www.huggingtweets.com/kr00ney-nerdwallet-producthunt/1623668927813/predictions.png",
        avatars: &[
            "1363962814499495937/UFNUnRoS",
            "1339064421964902402/-Rj0-u21",
            "1029047234371903488/z10lHpTA",
        ],
        data_run: "vrmrzm0o",
        training_run: "zdu3nltx",
    },
    Published {
        handle: "goando-tsuchinao83-za09313103",
        generation: 4,
        accounts: &[
            ("土屋尚史 / Goodpatch", [3236, 1577, 914, 745]),
            ("Go Ando / PREDUCTS / THE GUILD", [3250, 97, 1729, 1424]),
            ("shun nozaki / Goodpatch", [798, 34, 458, 306]),
        ],
        thumbnail: "http://www.huggingtweets.com/goando-tsuchinao83-za09313103/1643622988627/predictions.png",
        avatars: &[
            "715665333218979842/fLLzpFee",
            "1145832571214815232/KYNcOP04",
            "1281544202627674112/zglo72WL",
        ],
        data_run: "31bsh75f",
        training_run: "26i8c30r",
    },
];

impl Published {
    fn card(&self) -> Card {
        let run = |id: &str| format!("https://wandb.ai/wandb/huggingtweets/runs/{id}");
        Card {
            generation: self.generation,
            label: if self.accounts.len() == 1 {
                Label::Bot
            } else {
                Label::Cyborg
            },
            names: self
                .accounts
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            handle: self.handle.to_owned(),
            handles: self.handle.split('-').map(str::to_owned).collect(),
            avatars: self
                .avatars
                .iter()
                .map(|id| format!("https://pbs.twimg.com/profile_images/{id}_400x400.jpg"))
                .collect(),
            thumbnail: Some(self.thumbnail.to_owned()),
            table: self
                .accounts
                .iter()
                .map(|(name, counts)| account(name, *counts))
                .collect(),
            links: Links {
                data: Some(run(self.data_run) + "/artifacts"),
                training: Some(run(self.training_run)),
                model: Some(run(self.training_run) + "/artifacts"),
            },
            widget: strings(&["My dream is"]),
        }
    }
}

#[test]
fn published_cards_are_read_with_their_damage_repaired() {
    let Some(folder) = shared::shared("cards") else {
        return;
    };
    for published in &PUBLISHED {
        let bytes = std::fs::read(folder.join(format!("{}.md", published.handle))).unwrap();
        assert_eq!(read(&bytes), Ok(published.card()), "{}", published.handle);
    }
}

#[test]
fn code_page_of_each_published_card_is_found() {
    let Some(folder) = shared::shared("cards") else {
        return;
    };
    for published in &PUBLISHED {
        let text =
            std::fs::read_to_string(folder.join(format!("{}.md", published.handle))).unwrap();
        let expected = match published.handle {
            "snackmerritt" | "goando-tsuchinao83-za09313103" => CodePage::MacRoman,
            _ => CodePage::Windows1252,
        };
        assert_eq!(
            mojibake::code_page(&text),
            Some(expected),
            "{}",
            published.handle
        );
    }
}

/// With `HUGGINGTWEETS_WRITE_BOTS=1` it writes `assets/bots/` anew instead.
#[test]
fn bundled_bots_are_what_reading_the_published_cards_gives() {
    let Some(folder) = shared::shared("cards") else {
        return;
    };
    for published in &PUBLISHED {
        let bytes = std::fs::read(folder.join(format!("{}.md", published.handle))).unwrap();
        let json = serde_json::to_string_pretty(&read(&bytes).unwrap()).unwrap() + "\n";
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("assets/bots/{}.json", published.handle));
        if std::env::var_os("HUGGINGTWEETS_WRITE_BOTS").is_some() {
            std::fs::write(&path, &json).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            json,
            "{}",
            path.display()
        );
    }
}

#[test]
fn bundled_bots_are_the_five_in_the_order_of_the_gallery() {
    let bots = bot::bundled();
    assert_eq!(bots.len(), PUBLISHED.len());
    for (bot, published) in bots.iter().zip(&PUBLISHED) {
        assert_eq!(bot.repo, format!("huggingtweets/{}", published.handle));
        assert_eq!(bot.card, published.card());
        assert_eq!(
            bot.hub_url(),
            format!("https://huggingface.co/huggingtweets/{}", published.handle)
        );
        assert_eq!(bot::find(&bot.repo), Some(bot));
    }
    assert_eq!(bot::find("huggingtweets/name_one"), None);
}

// Synthetic cards: the structure of each generation, our own words between.

struct Synthetic {
    generation: u8,
    names: Vec<String>,
    handle: String,
    counts: Vec<[u32; 4]>,
}

impl Synthetic {
    fn new(generation: u8, accounts: &[(&str, [u32; 4])], handle: &str) -> Self {
        Self {
            generation,
            names: accounts
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            handle: handle.to_owned(),
            counts: accounts.iter().map(|(_, counts)| *counts).collect(),
        }
    }

    fn header(&self) -> String {
        let (names, handle) = (self.names.join(" & "), &self.handle);
        if self.generation < 4 {
            let colour = if self.generation < 3 {
                "; color: #657786"
            } else {
                ""
            };
            let head = format!(
                "<div>\n<div style=\"width: 132px; background-image: url('https://example.org/a/0.jpg')\">\n</div>\n\
                 <div style=\"font-size: 19px\">{names} 🤖 AI Bot </div>\n\
                 <div style=\"font-size: 15px{colour}\">@{handle} bot</div>\n</div>\n"
            );
            return if self.generation == 2 {
                format!("<section class='prose'>\n{head}")
            } else {
                head
            };
        }
        let slot = |idx: usize| {
            let (display, address) = match idx < self.names.len() {
                true => ("inherit", format!("https://example.org/a/{idx}.jpg")),
                false => ("none", String::new()),
            };
            format!(
                "<div\n\tstyle=\"display:{display}; background-image: url(&#39;{address}&#39;)\">\n</div>\n"
            )
        };
        let slots: String = (0..3).map(slot).collect();
        let label = if self.names.len() > 1 {
            "CYBORG"
        } else {
            "BOT"
        };
        format!(
            "<div class=\"inline-flex flex-col\">\n<div class=\"flex\">\n{slots}</div>\n\
             <div style=\"font-weight: 800\">🤖 AI {label} 🤖</div>\n\
             <div style=\"font-size: 16px\">{names}</div>\n\
             <div style=\"font-size: 14px;\">@{handle}</div>\n</div>\n"
        )
    }

    fn table(&self) -> String {
        let rows = [
            "Tweets downloaded",
            "Retweets",
            "Short tweets",
            "Tweets kept",
        ];
        let cells = |idx: usize| {
            self.counts
                .iter()
                .map(move |counts| counts[idx].to_string())
        };
        if self.generation == 2 {
            let rows = rows.iter().enumerate().map(|(idx, row)| {
                let count = cells(idx).next().unwrap();
                format!("<tr style='border-width:0'>\n<td style='border-width:0'>{row}</td>\n<td>{count}</td>\n</tr>\n")
            });
            return format!(
                "<table>\n<tr><th>Data</th><th>Quantity</th></tr>\n{}</table>\n",
                rows.collect::<String>()
            );
        }
        let header = match self.generation {
            4 => format!(
                "| Data | {} |\n|{}\n",
                self.names.join(" | "),
                " --- |".repeat(1 + self.names.len())
            ),
            _ => "| Data | Quantity |\n| --- | --- |\n".to_owned(),
        };
        let rows = rows.iter().enumerate().map(|(idx, row)| {
            format!(
                "| {row} | {} |\n",
                cells(idx).collect::<Vec<_>>().join(" | ")
            )
        });
        header + &rows.collect::<String>()
    }

    fn markdown(&self) -> String {
        let link = |text: &str, path: &str| match self.generation {
            2 => format!(
                "<a href=\"https://example.org/{path}\">{}</a>",
                text.replace('&', "&amp;")
            ),
            _ => format!("[{text}](https://example.org/{path})"),
        };
        format!(
            "---\nlanguage: en\nthumbnail: https://example.org/share.png\ntags:\n- huggingtweets\nwidget:\n- text: \"A test begins\"\n---\n\n\
             {}\nI was made with code of a test.\n\n## Training data\n\nTweets of {}.\n\n{}\n{}, {}, {}.\n",
            self.header(),
            self.names.join(" & "),
            self.table(),
            link("Explore the data", "data"),
            link("W&B training run", "run"),
            link("the final model", "model"),
        )
    }

    fn card(&self) -> Card {
        let address = |path: &str| format!("https://example.org/{path}");
        let n = self.names.len();
        Card {
            generation: self.generation,
            label: if n > 1 { Label::Cyborg } else { Label::Bot },
            names: self.names.clone(),
            handle: self.handle.clone(),
            handles: self.handle.split('-').map(str::to_owned).collect(),
            avatars: (0..n).map(|idx| address(&format!("a/{idx}.jpg"))).collect(),
            thumbnail: Some(address("share.png")),
            table: self
                .names
                .iter()
                .zip(&self.counts)
                .map(|(name, counts)| account(name, *counts))
                .collect(),
            links: Links {
                data: Some(address("data")),
                training: Some(address("run")),
                model: Some(address("model")),
            },
            widget: strings(&["A test begins"]),
        }
    }
}

fn synthetic_cards() -> Vec<Synthetic> {
    let mut cards: Vec<_> = (1..=4)
        .map(|generation| {
            Synthetic::new(
                generation,
                &[("Name One 🌸", [100, 30, 20, 50])],
                "name_one",
            )
        })
        .collect();
    cards.push(Synthetic::new(
        4,
        &[("Name One 🌸", [9, 4, 3, 2]), ("名前二 · é", [8, 0, 0, 8])],
        "name_one-name_two",
    ));
    cards.push(Synthetic::new(
        4,
        &[
            ("Name & One", [1, 0, 0, 1]),
            ("Name | Two", [2, 1, 1, 0]),
            ("3 & | 3", [3, 0, 3, 0]),
        ],
        "name_one-name_three-name_two",
    ));
    cards
}

/// What reading `text`'s UTF-8 as this code page shows.
fn garble(text: &str, page: CodePage) -> String {
    oracle(page)
        .decode_without_bom_handling(text.as_bytes())
        .0
        .into_owned()
}

fn oracle(page: CodePage) -> &'static encoding_rs::Encoding {
    match page {
        CodePage::Windows1252 => encoding_rs::WINDOWS_1252,
        CodePage::MacRoman => encoding_rs::MACINTOSH,
    }
}

#[test]
fn every_generation_is_read() {
    for synthetic in synthetic_cards() {
        assert_eq!(read(synthetic.markdown().as_bytes()), Ok(synthetic.card()));
    }
}

#[test]
fn every_generation_is_read_through_either_damage() {
    for synthetic in synthetic_cards() {
        for page in CodePage::ALL {
            let garbled = garble(&synthetic.markdown(), page);
            assert_eq!(mojibake::code_page(&garbled), Some(page));
            assert_eq!(read(garbled.as_bytes()), Ok(synthetic.card()), "{page:?}");
        }
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    for synthetic in synthetic_cards() {
        let text = format!("\u{feff}{}", synthetic.markdown().replace('\n', "\r\n"));
        assert_eq!(read(text.as_bytes()), Ok(synthetic.card()));
        assert_eq!(
            read(garble(&text, CodePage::Windows1252).as_bytes()),
            Ok(synthetic.card())
        );
    }
}

#[test]
fn code_pages_agree_with_encoding_rs_on_every_byte() {
    for page in CodePage::ALL {
        for byte in 0..=u8::MAX {
            let (text, _) = oracle(page).decode_without_bom_handling(std::slice::from_ref(&byte));
            assert_eq!(
                page.byte(text.chars().next().unwrap()),
                Some(byte),
                "{page:?} {byte:#x}"
            );
        }
    }
    assert_eq!(CodePage::MacRoman.byte('ð'), None);
    assert_eq!(CodePage::Windows1252.byte('\u{f8ff}'), None);
}

#[test]
fn undamaged_text_stays_as_it_is() {
    for text in [
        "",
        "plain\n",
        "café, naïve, 50 €\n",
        "Name 🌸 Ã©\n",
        "名前\nÃ©\n",
        "ð and þ\n",
    ] {
        assert_eq!(mojibake::code_page(text), None, "{text:?}");
        assert_eq!(mojibake::repair(text), text);
    }
}

#[test]
fn a_line_that_lost_a_byte_stays_and_the_others_are_repaired() {
    let garbled = format!(
        "{}\u{fffd} lost\n{}",
        garble("名前 🌸\n", CodePage::Windows1252),
        garble("é 🤖\n", CodePage::Windows1252)
    );
    assert_eq!(mojibake::repair(&garbled), "名前 🌸\n\u{fffd} lost\né 🤖\n");
}

#[test]
fn a_name_is_text_with_entities_decoded_once() {
    for (written, expected) in [
        ("Name &amp; One", "Name & One"),
        ("&amp;lt;", "&lt;"),
        ("I &lt;3 &#128512; &#x1F600;", "I <3 😀 😀"),
        ("<3 tests", "<3 tests"),
        ("<b>Name</b> One", "Name One"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>One", "One"),
        ("&lt;b&gt;", "<b>"),
        ("AT&T; &#0; &#xD800; &", "AT&T;  &#xD800; &"),
        ("One\0\u{7}\u{1b}[0m", "One[0m"),
        ("<br>", "name_one"),
        ("</div>", "name_one"),
        ("AI BOT 🤖 Name", "AI BOT 🤖 Name"),
        ("an AI Bot", "an AI Bot"),
        ("a | b", "a | b"),
    ] {
        for generation in 1..=4 {
            let card = read(
                Synthetic::new(generation, &[(written, [1, 0, 0, 1])], "name_one")
                    .markdown()
                    .as_bytes(),
            )
            .unwrap();
            assert_eq!(card.names, strings(&[expected]), "generation {generation}");
            assert_eq!(card.generation, generation);
            assert_eq!(card.table, [account(expected, [1, 0, 0, 1])]);
        }
    }
}

#[test]
fn handles_are_told_apart_only_when_they_match_the_names() {
    let accounts = [("Name One", [1, 0, 0, 1]), ("Name Two", [1, 0, 0, 1])];
    let handles = |handle: &str| {
        read(Synthetic::new(4, &accounts, handle).markdown().as_bytes())
            .unwrap()
            .handles
    };
    assert_eq!(handles("name_one-name_two"), ["name_one", "name_two"]);
    assert_eq!(
        handles("name_one-name_two-more"),
        ["name_one-name_two-more"]
    );
    assert_eq!(handles("name_one-"), ["name_one-"]);
}

#[test]
fn only_https_addresses_are_taken_over() {
    let markdown = synthetic_cards()[3].markdown();
    for address in [
        "http://example.org/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https://a b",
        "https://a\"onload=x",
        "//example.org",
    ] {
        let card = read(
            markdown
                .replace("https://example.org/a/0.jpg", address)
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(card.avatars, strings(&[]), "{address}");
        let card = read(
            markdown
                .replace("https://example.org/data", address)
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(card.links.data, None, "{address}");
    }
    let card = read(
        markdown
            .replace("https://example.org/share.png", "javascript:alert(1)")
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(card.thumbnail, None);
}

#[test]
fn a_name_cannot_replace_a_link() {
    let name = "[Explore the data](https://example.org/other)";
    let card = read(
        Synthetic::new(4, &[(name, [1, 0, 0, 1])], "name_one")
            .markdown()
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(card.links.data.as_deref(), Some("https://example.org/data"));
}

#[test]
fn counts_that_do_not_add_up_are_kept_as_written() {
    let synthetic = Synthetic::new(4, &[("Name One", [1, 2, 3, u32::MAX])], "name_one");
    assert_eq!(read(synthetic.markdown().as_bytes()), Ok(synthetic.card()));
}

#[test]
fn widget_examples_are_read_in_every_way_to_write_them() {
    let markdown = synthetic_cards()[3].markdown();
    let widget = |yaml: &str| {
        read(
            markdown
                .replace("- text: \"A test begins\"", yaml)
                .as_bytes(),
        )
        .unwrap()
        .widget
    };
    assert_eq!(widget("- text: plain words # note"), ["plain words"]);
    assert_eq!(
        widget("  - text: 'it''s'\n    example_title: text"),
        ["it's"]
    );
    assert_eq!(
        widget("- example_title: x\n  text: \"a \\\"b\\\" \\u00e9\\n\"\n- text: two"),
        ["a \"b\" é\n", "two"]
    );
    assert_eq!(widget("- text: one\n  output:\n    text: other"), ["one"]);
    assert_eq!(
        widget("- text: |\n    block\n- text: \"open\n- text: null\n- nothing"),
        ["block"]
    );
    // What a formatter or a program that writes YAML makes of them.
    for (yaml, texts) in [
        ("- text: >\n    folded\n    text", &["folded text"][..]),
        (
            "- text: |-\n    two\n      lines\n- text: b",
            &["two\n  lines", "b"],
        ),
        ("- text: \"line1\n  line2\"", &["line1 line2"]),
        ("- text: \"one \\\n    word\"", &["one word"]),
        ("- text: 'a\n\n    b'", &["a\nb"]),
        (
            "- text: plain words\n    that go on",
            &["plain words that go on"],
        ),
        (
            "- {text: \"flow\"}\n- {example_title: text, text: plain words}",
            &["flow", "plain words"],
        ),
        (
            "- {\"text\":\"a, b: {c}\",\n   \"example_title\": 'x'}",
            &["a, b: {c}"],
        ),
        ("- \"text\": \"quoted key\"", &["quoted key"]),
        ("-\n  text: \"next line\"", &["next line"]),
    ] {
        assert_eq!(widget(yaml), texts, "{yaml}");
    }
    let one_line = |yaml: &str| {
        let markdown = markdown.replace("widget:\n- text: \"A test begins\"", yaml);
        read(markdown.as_bytes()).unwrap().widget
    };
    assert_eq!(
        one_line("widget: [{text: \"a\"}, {text: it's b}]"),
        ["a", "it's b"]
    );
    assert_eq!(one_line("widget: [\n  {text: 'it''s'},\n]"), ["it's"]);
    assert_eq!(one_line("widget: [{text: \"open"), strings(&[]));
}

#[test]
fn what_came_in_place_of_a_card_is_named() {
    for (bytes, found) in [
        (
            &b"<!doctype html><html><body>404</body></html>"[..],
            FileKind::Html,
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            FileKind::LfsPointer,
        ),
        (b"", FileKind::Empty),
        (b"Entry not found", FileKind::ServerAnswer),
        (b"\x1f\x8b\x08\0", FileKind::Compressed("gzip")),
    ] {
        let error = read(bytes).unwrap_err();
        assert_eq!(error, CardError::OtherFile { found });
        assert_eq!(error.hint(), found.hint());
    }
}

#[test]
fn a_card_that_people_or_formatters_have_changed_is_read_all_the_same() {
    let synthetic = &synthetic_cards()[3];
    let (plain, markdown) = (synthetic.card(), synthetic.markdown());
    let data = "[Explore the data](https://example.org/data)";
    assert!(markdown.contains(data) && markdown.contains("&#39;"));
    for (from, to) in [
        ("<div", "<DIV"),
        ("</div>", "</DIV>"),
        ("&#39;", "&apos;"),
        ("&#39;", "&#x27;"),
        ("@name_one<", "<a href=\"x\">@name_one</a><"),
        // A space that nobody sees.
        ("@name_one<", "@name\u{200b}_one<"),
        ("| Retweets |", "| **Retweets** |"),
        ("| Tweets kept |", "| _Tweets kept_ |"),
        (data, "[Explore the\ndata](https://example.org/data)"),
        (data, "[Explore the data](<https://example.org/data>)"),
        (
            data,
            "[Explore the data](https://example.org/data \"title\")",
        ),
        (
            data,
            "<a\nhref=\"https://example.org/data\">\n  Explore the data\n</a>",
        ),
    ] {
        assert!(markdown.contains(from), "{from}");
        let changed = markdown.replace(from, to);
        assert_eq!(read(changed.as_bytes()).unwrap(), plain, "{to}");
    }
}

#[test]
fn a_name_may_hold_the_words_that_follow_the_header() {
    let names = [("I was made with love", [100, 30, 20, 50])];
    let synthetic = Synthetic::new(4, &names, "name_one");
    let card = read(synthetic.markdown().as_bytes()).unwrap();
    assert_eq!(card.names, ["I was made with love"]);
    assert_eq!(card.handle, "name_one");
}

#[test]
fn the_row_that_differs_from_the_others_is_blamed() {
    let markdown = synthetic_cards()[3].markdown();
    let row = markdown
        .lines()
        .find(|line| line.starts_with("| Tweets downloaded |"))
        .unwrap();
    let longer = markdown.replace(row, &format!("{row} 1 |"));
    assert_eq!(
        read(longer.as_bytes()),
        Err(CardError::BadColumns {
            row: "Tweets downloaded",
            got: 2
        })
    );
}

#[test]
fn a_card_without_table_or_front_matter_is_still_read() {
    let synthetic = &synthetic_cards()[3];
    let card = read(synthetic.header().as_bytes()).unwrap();
    assert_eq!(card.names, synthetic.names);
    assert_eq!(
        (card.table, card.widget, card.thumbnail),
        (vec![], vec![], None)
    );
}

#[test]
fn each_fault_has_its_error() {
    let one = synthetic_cards()[3].markdown();
    let two = synthetic_cards()[4].markdown();
    let long = "x".repeat(201);
    let bad_handle = |got: &str| CardError::BadHandle {
        got: got.to_owned(),
    };
    let bad_count = |got: &str| CardError::BadCount {
        row: "Retweets",
        got: got.to_owned(),
    };
    let cases = [
        (
            "# Something else\n\n<script>alert(1)</script>\n".to_owned(),
            CardError::NoHeader,
        ),
        ("<div>AI BOT, or so</div>".to_owned(), CardError::NoHeader),
        ("\n".repeat(MAX_CARD_BYTES), CardError::NoHeader),
        ("\0".repeat(100), CardError::NoHeader),
        ("\n".repeat(1 << 20), CardError::TooLarge { got: 1 << 20 }),
        (
            format!("a\n{}", " ".repeat(MAX_LINE_BYTES + 1)),
            CardError::LineTooLong {
                line: 2,
                got: MAX_LINE_BYTES + 1,
            },
        ),
        ("---\nlanguage: en\n".to_owned(), CardError::FrontMatterOpen),
        (
            one.replace("@name_one", "@name one"),
            bad_handle("name one"),
        ),
        (one.replace("@name_one", "name_one"), CardError::NoHandle),
        (
            one.replace("@name_one", &format!("@{}", "x".repeat(65))),
            bad_handle(&format!("{}…", "x".repeat(40))),
        ),
        (
            one.replace("Name One 🌸", &long),
            CardError::TextTooLong {
                what: "display name",
                got: 201,
                limit: 200,
            },
        ),
        (
            one.replace("A test begins", &"x".repeat(2001)),
            CardError::TextTooLong {
                what: "widget example",
                got: 2001,
                limit: 2000,
            },
        ),
        (
            one.replace("- text:", &"- text: x\n".repeat(17)),
            CardError::TooManyPrompts { got: 17 },
        ),
        (
            one.replace("| Retweets |", "| Other |"),
            CardError::RowMissing { row: "Retweets" },
        ),
        (
            one.replace("| Retweets | 30 |", "| Retweets |"),
            CardError::BadColumns {
                row: "Retweets",
                got: 0,
            },
        ),
        (
            one.replace("| Tweets downloaded | 100 |", "| Tweets downloaded |"),
            CardError::BadColumns {
                row: "Tweets downloaded",
                got: 0,
            },
        ),
        (
            two.replace("| Retweets | 4 | 0 |", "| Retweets | 4 |"),
            CardError::BadColumns {
                row: "Retweets",
                got: 1,
            },
        ),
        (
            two.replace(
                "| Tweets downloaded | 9 | 8 |",
                "| Tweets downloaded | 9 | 8 | 7 | 6 |",
            ),
            CardError::BadColumns {
                row: "Tweets downloaded",
                got: 4,
            },
        ),
        (
            two.replace("| Data | Name One 🌸 |", "| Data |"),
            CardError::BadTableHeader { expected: 2 },
        ),
        (
            two.replace("| Data |", "| Info |"),
            CardError::BadTableHeader { expected: 2 },
        ),
        (one.replace("| 30 |", "| -30 |"), bad_count("-30")),
        (one.replace("| 30 |", "| +30 |"), bad_count("+30")),
        (
            one.replace("| 30 |", "| 4294967296 |"),
            bad_count("4294967296"),
        ),
        (one.replace("| 30 |", "|  |"), bad_count("")),
        (
            one.replace("| 30 |", "| <b>30</b> |"),
            bad_count("<b>30</b>"),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(
            read(text.as_bytes()),
            Err(expected),
            "{}",
            text.chars().take(400).collect::<String>()
        );
    }
    assert_eq!(read(b"abc\xff\xfe"), Err(CardError::NotUtf8 { at: 3 }));
}

/// A display name on Twitter may hold any character.
#[test]
fn a_name_cannot_turn_or_hide_what_stands_beside_it() {
    for (written, expected) in [
        ("\u{202e}eno eman", "eno eman"),
        ("&#x202E;Name", "Name"),
        ("Na\u{200b}me\u{2066}", "Name"),
        ("👩\u{200d}🚀 ❤\u{fe0f}", "👩\u{200d}🚀 ❤\u{fe0f}"),
        ("אבי", "אבי"),
        ("", "name_one"),
        ("\u{3164}\u{200b}\u{2800}\u{e0041}", "name_one"),
        ("\u{202e}", "name_one"),
        ("@other", "@other"),
    ] {
        for generation in 1..=4 {
            let synthetic = Synthetic::new(generation, &[(written, [1, 0, 0, 1])], "name_one");
            let card = read(synthetic.markdown().as_bytes()).unwrap();
            assert_eq!(
                card.names,
                [expected],
                "{written:?}, generation {generation}"
            );
            assert_eq!(card.handle, "name_one");
        }
    }
}

#[test]
fn an_account_of_a_cyborg_without_a_visible_name_is_called_by_the_handle() {
    let accounts = [("\u{3164}", [1, 0, 0, 1]), ("Name Two", [2, 0, 0, 2])];
    let card = read(Synthetic::new(4, &accounts, "a-b").markdown().as_bytes()).unwrap();
    assert_eq!(card.names, ["a-b", "Name Two"]);
    assert_eq!(card.table[1], account("Name Two", [2, 0, 0, 2]));
    let card = read(
        Synthetic::new(4, &[("", [1, 0, 0, 1]), ("Two", [2, 0, 0, 2])], "a-b")
            .markdown()
            .as_bytes(),
    );
    assert_eq!(card.unwrap().names, ["a-b", "Two"]);
}

#[test]
fn counts_are_read_with_groups_of_three_and_refused_with_the_cell_otherwise() {
    let markdown = synthetic_cards()[3].markdown();
    let retweets = |cell: &str| {
        let card = read(
            markdown
                .replace("| 30 |", &format!("| {cell} |"))
                .as_bytes(),
        );
        card.map(|card| card.table[0].retweets)
    };
    for cell in [
        "3200",
        "3,200",
        "3.200",
        "3 200",
        "3\u{a0}200",
        "3\u{202f}200",
        "3’200",
        "3'200",
        "3_200",
        "3&nbsp;200",
    ] {
        assert_eq!(retweets(cell), Ok(3200), "{cell}");
    }
    assert_eq!(retweets("1,234,567"), Ok(1_234_567));
    for cell in [
        "3.2",
        "3,20",
        "3,2000",
        "3,200.5",
        "1.234,567",
        "0,200",
        ",200",
        "3,,200",
        "3200,000",
        "3k",
        "~3200",
        "many",
    ] {
        let refused = CardError::BadCount {
            row: "Retweets",
            got: cell.to_owned(),
        };
        assert!(refused.to_string().contains(&format!("`{cell}`")));
        assert_eq!(retweets(cell), Err(refused), "{cell}");
    }
}

/// As Prettier and HTML formatters break and indent elements.
#[test]
fn a_header_that_a_formatter_broke_over_lines_is_read() {
    for synthetic in synthetic_cards() {
        let mut markdown = synthetic.markdown();
        let header = synthetic.header();
        let broken = header
            .lines()
            .map(|line| {
                match line
                    .strip_prefix("<div style=")
                    .and_then(|rest| rest.split_once('>'))
                {
                    Some((style, text)) if text.ends_with("</div>") => {
                        let text = text.trim_end_matches("</div>").trim();
                        format!(
                            "  <div\n    style={style}\n  >\n    {}\n  </div>\n",
                            text.replace(" & ", " &\n    ")
                        )
                    }
                    _ => format!("  {line}\n"),
                }
            })
            .collect::<String>();
        assert_ne!(broken, header);
        markdown = markdown.replace(&header, &broken);
        assert_eq!(
            read(markdown.as_bytes()),
            Ok(synthetic.card()),
            "{markdown}"
        );
    }
}

#[test]
fn a_table_that_a_formatter_aligned_is_read() {
    for synthetic in synthetic_cards() {
        let table = synthetic.table();
        for is_open in [false, true] {
            let aligned = table
                .lines()
                .map(|line| match line.starts_with('|') {
                    true => {
                        let cells = line
                            .trim_matches('|')
                            .split(" | ")
                            .map(|cell| format!(" {:<24} ", cell.trim()));
                        let row = cells.collect::<Vec<_>>().join("|");
                        if is_open {
                            format!("{}\n", row.trim())
                        } else {
                            format!("|{row}|\n")
                        }
                    }
                    false => format!("{line}\n"),
                })
                .collect::<String>();
            let markdown = synthetic.markdown().replace(&table, &aligned);
            assert_eq!(read(markdown.as_bytes()), Ok(synthetic.card()), "{aligned}");
        }
    }
}

/// Deletes, doubles or flips some bytes of the cards, thousands of times.
#[test]
fn mutated_cards_never_panic_and_never_hold_markup_addresses() {
    let mut cards: Vec<Vec<u8>> = synthetic_cards()
        .iter()
        .map(|card| card.markdown().into_bytes())
        .collect();
    let garbled = |card: &Vec<u8>| {
        garble(std::str::from_utf8(card).unwrap(), CodePage::Windows1252).into_bytes()
    };
    cards.extend(cards.iter().map(garbled).collect::<Vec<_>>());
    let mut rng = ChaCha8Rng::seed_from_u64(2021);
    let mut below = |n: usize| usize::try_from(rng.next_u64() % n as u64).unwrap();
    let mut n_read = 0;
    for _ in 0..20_000 {
        let mut bytes = cards[below(cards.len())].clone();
        for _ in 0..1 + below(4) {
            let start = below(bytes.len());
            let end = (start + 1 + below(40)).min(bytes.len());
            match below(4) {
                0 => drop(bytes.drain(start..end)),
                1 => {
                    let piece = bytes[start..end].to_vec();
                    let at = below(bytes.len());
                    bytes.splice(at..at, piece);
                }
                2 => bytes[start] ^= 1 << below(8),
                _ => bytes[start] = b"<>&;|-\"'\\@:\n\0"[below(13)],
            }
        }
        let Ok(card) = read(&bytes) else { continue };
        n_read += 1;
        assert!(
            (1..=3).contains(&card.names.len()) && card.names.iter().all(|name| !name.is_empty())
        );
        assert!(card.table.is_empty() || card.table.len() == card.names.len());
        for address in card
            .avatars
            .iter()
            .chain(&card.links.data)
            .chain(&card.links.training)
            .chain(&card.links.model)
        {
            assert!(
                address.starts_with("https://") && !address.contains(['"', '\'', '<', '>', ' ']),
                "{address}"
            );
        }
    }
    assert!(
        n_read > 1000,
        "only {n_read} of the mutated cards were read; the test no longer reaches the parser"
    );
}

#[test]
fn initials_are_first_letters_without_emoji() {
    for (name, expected) in [
        ("Jen 🌸", "J"),
        ("Random Empress Theresa", "RE"),
        ("Product Hunt 😸", "PH"),
        ("NerdWallet", "N"),
        ("Jack \"Knows Nothing About Politics\" Merritt🗳🍦", "JK"),
        ("土屋尚史 / Goodpatch", "土"),
        ("Go Ando / PREDUCTS / THE GUILD", "GA"),
        ("shun nozaki / Goodpatch", "SN"),
        ("🌸élan vital", "ÉV"),
        ("Name 名前", "N"),
        ("🌸 🍦", "🤖"),
        ("", "🤖"),
    ] {
        assert_eq!(bot::initials(name), expected, "{name}");
    }
}

#[test]
fn hues_are_stable_and_differ_among_the_bundled_bots() {
    // FNV-1a of nothing is its offset basis, 2166136261.
    assert_eq!(bot::hue(""), 61 + 125);
    let mut hues: Vec<u16> = bot::bundled()
        .iter()
        .flat_map(|bot| &bot.card.handles)
        .map(|handle| bot::hue(handle))
        .collect();
    assert!(
        hues.iter()
            .all(|hue| *hue < 360 && !(65..125).contains(hue))
    );
    hues.sort_unstable();
    hues.dedup();
    assert_eq!(hues.len(), 9);
}

#[test]
fn a_bot_of_the_address_is_owner_slash_name_or_refused() {
    for good in [
        "huggingtweets/jen_122",
        "a/b.c-d",
        "huggingtweets/kr00ney-nerdwallet-producthunt",
    ] {
        assert_eq!(good.parse::<RepoId>().unwrap().as_str(), good);
    }
    let long = format!("a/{}", "b".repeat(97));
    for bad in [
        "",
        "a",
        "a/",
        "/b",
        "a/b/c",
        "a/..",
        "../b",
        "a/.b",
        "a/b?x",
        "a/b c",
        "a/b%2f",
        "https://x/y",
        "a/é",
        "-a/b",
        "a/b--c",
        &long,
    ] {
        assert!(bad.parse::<RepoId>().is_err(), "{bad}");
    }
}

/// SHA-256 of the published cards before they were garbled.
const BEFORE_GARBLING: [(&str, &str); 5] = [
    (
        "jen_122",
        "05063f4275e3206d18a52e99fe123069a5d67bb738082549e33c594f8c318b53",
    ),
    (
        "empressrandom",
        "282c93dba31989c0491d4e63086fcbce41cc5e11fca171379eda5b9bb7940b9f",
    ),
    (
        "snackmerritt",
        "93638e3cdb9e6ae858acee0a848d9b615cf50a7ae4f90b646748a77361f5c164",
    ),
    (
        "kr00ney-nerdwallet-producthunt",
        "3c157589f54f87932810f8a63ec30437c568751993d5ed78bb4433f416c2538f",
    ),
    (
        "goando-tsuchinao83-za09313103",
        "58e1b02d2a4411fc76d8f9c3933970028c840ca992fae1d8b34e552ad17fafe0",
    ),
];

fn published_facts() -> impl Iterator<Item = CardFacts> {
    PUBLISHED
        .iter()
        .map(|published| CardFacts::from(published.card()))
}

#[test]
fn the_published_cards_are_written_as_they_were_before_they_were_garbled() {
    use sha2::{Digest as _, Sha256};
    for facts in published_facts() {
        let card = write::as_original(&facts).unwrap();
        let hash = base16ct::lower::encode_string(&Sha256::digest(card.as_bytes()));
        let handle = facts.handle.as_deref().unwrap();
        let expected = BEFORE_GARBLING
            .iter()
            .find(|(of, _)| *of == handle)
            .unwrap()
            .1;
        assert_eq!(hash, expected, "{handle}");
    }
}

/// The words of the template are replaced after the names, so they are replaced in names too.
#[test]
fn the_originals_card_has_the_originals_faults() {
    let names = strings(&["BOT lover <3", "TWEETS_DL | x"]);
    let facts = CardFacts {
        table: names
            .iter()
            .map(|name| account(name, [9, 3, 2, 4]))
            .collect(),
        names,
        handles: strings(&["zoe", "abe"]),
        language: Some("ja".to_owned()),
        ..CardFacts::default()
    };
    let card = write::as_original(&facts).unwrap();
    for line in [
        "language: en",
        "| Data | BOT lover <3 | 9 | 9 | x |",
        "The model was trained on tweets from CYBORG lover <3 & 9 | 9 | x.",
        "                     model='huggingtweets/abe-zoe')",
    ] {
        assert!(card.lines().any(|other| other == line), "{line}\n{card}");
    }
    assert!(card.contains("🤖 AI CYBORG 🤖"), "{card}");
    assert_eq!(card.matches("display:inherit").count(), 2);
    assert_eq!(card.matches("display:none").count(), 1);
}

#[test]
fn a_garbled_card_is_written_as_its_repair() {
    let Some(folder) = shared::shared("cards") else {
        return;
    };
    for published in &PUBLISHED {
        let path = folder.join(format!("{}.md", published.handle));
        let bytes = std::fs::read(path).unwrap();
        let facts = CardFacts::from(read(&bytes).unwrap());
        let repaired = mojibake::repair(std::str::from_utf8(&bytes).unwrap());
        assert_eq!(write::as_original(&facts).unwrap(), repaired);
    }
}

#[test]
fn a_mended_card_is_read_as_the_same_facts() {
    let nasty = [
        "a | b & c <b>d</b> *e* _f_ `g` [h](i) ~j~ #k \\ \"l\" 'm' &amp; n",
        "@everyone | https://e.example/ --- BOT USER_HANDLE",
        "🌸 日本 & | &",
    ];
    let mut all: Vec<CardFacts> = published_facts().collect();
    for n in 1..=nasty.len() {
        let names = strings(&nasty[..n]);
        all.push(CardFacts {
            table: names
                .iter()
                .map(|name| account(name, [9, 3, 2, 4]))
                .collect(),
            avatars: vec!["https://e.example/a.jpg?b=c&d=e".to_owned(); n],
            handles: ["zoe", "abe", "b_7"][..n]
                .iter()
                .map(|h| (*h).to_owned())
                .collect(),
            names,
            widget: strings(&["a: \"b\" # c", "d\ne"]),
            language: Some("pt-BR".to_owned()),
            date: Some("2026-01-31".to_owned()),
            ..CardFacts::default()
        });
    }
    for facts in all {
        let card = write::mended(&facts).unwrap();
        let again = read(card.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{card}"));
        assert_eq!(again.names, facts.names, "{card}");
        assert_eq!(again.table, facts.table);
        assert_eq!(again.avatars, facts.avatars);
        assert_eq!(again.generation, 4);
        let mut handles = facts.handles.clone();
        handles.sort_unstable();
        assert_eq!(again.handles, handles);
        assert_eq!(again.links, facts.links);
        if !facts.widget.is_empty() {
            assert_eq!(again.widget, facts.widget);
        }
        assert!(again.thumbnail.is_some());
    }
}

#[test]
fn a_mended_card_states_what_the_original_left_out() {
    let facts = CardFacts {
        names: strings(&["Ada"]),
        handles: strings(&["ada"]),
        language: Some("no".to_owned()),
        base_model: Some("distilgpt2".to_owned()),
        license: Some("apache-2.0".to_owned()),
        date: Some("2026-01-31".to_owned()),
        untrained: true,
        ..CardFacts::default()
    };
    let card = write::mended(&facts).unwrap();
    for line in [
        "language: \"no\"",
        "license: apache-2.0",
        "base_model: distilgpt2",
        "No model was trained on these tweets yet.",
    ] {
        assert!(card.lines().any(|other| other == line), "{line}\n{card}");
    }
    assert!(
        card.contains("huggingtweets-web wrote this card on 2026-01-31."),
        "{card}"
    );
    assert!(!card.contains("| Data |"), "{card}");
    let without = CardFacts {
        language: None,
        ..facts
    };
    assert!(!write::mended(&without).unwrap().contains("language"));
}

#[test]
fn a_base_model_is_linked_only_where_the_hub_may_have_it() {
    for (base, line, words) in [
        (
            "huggingtweets/dril",
            Some("base_model: huggingtweets/dril"),
            "a pre-trained [huggingtweets/dril](https://huggingface.co/huggingtweets/dril)",
        ),
        (
            "gpt2",
            Some("base_model: gpt2"),
            "(https://huggingface.co/gpt2)",
        ),
        (
            "bundled",
            None,
            "the small model of huggingtweets-web which",
        ),
        ("@ada & @zoe", None, "the model @ada &amp; @zoe which"),
        ("my model (1)", None, "the model my model (1) which"),
        ("../secret", None, "the model ../secret which"),
        (
            "a: [b](http://c.example)",
            None,
            "the model a&#58; &#91;b&#93;(http&#58;//c.example) which",
        ),
    ] {
        let facts = CardFacts {
            names: strings(&["Ada"]),
            handles: strings(&["ada"]),
            base_model: Some(base.to_owned()),
            ..CardFacts::default()
        };
        let card = write::mended(&facts).unwrap();
        let found = card.lines().find(|line| line.starts_with("base_model"));
        assert_eq!(found, line, "{base}");
        assert!(card.contains(words), "{base}\n{card}");
    }
}

#[test]
fn facts_that_cannot_be_on_a_card_are_refused() {
    type Check = fn(&CardWriteError) -> bool;
    let cases: [(&str, Check); 12] = [
        ("7", |e| matches!(e, CardWriteError::Json { .. })),
        (r#"{"names":5}"#, |e| {
            matches!(e, CardWriteError::Json { .. })
        }),
        ("{}", |e| matches!(e, CardWriteError::Names { got: 0 })),
        (r#"{"names":["a","b","c","d"],"handle":"a"}"#, |e| {
            matches!(e, CardWriteError::Names { got: 4 })
        }),
        (r#"{"names":["a"]}"#, |e| {
            matches!(e, CardWriteError::Handle { .. })
        }),
        (r#"{"names":["a"],"handle":"a b"}"#, |e| {
            matches!(e, CardWriteError::Handle { .. })
        }),
        (r#"{"names":["a"],"handle":"a","avatars":["x","y"]}"#, |e| {
            matches!(e, CardWriteError::Number { got: 2, .. })
        }),
        (
            r#"{"names":["a"],"handle":"a","avatars":["javascript:x"]}"#,
            |e| matches!(e, CardWriteError::Address { .. }),
        ),
        (
            r#"{"names":["a"],"handle":"a","language":"en\nx: y"}"#,
            |e| matches!(e, CardWriteError::Value { .. }),
        ),
        (r#"{"names":["a"],"handle":"a","faithful":true}"#, |e| {
            matches!(
                e,
                CardWriteError::NoTemplate {
                    has_table: false,
                    ..
                }
            )
        }),
        (
            r#"{"names":["a"],"handle":"a","faithful":true,"generation":2,"table":[{"name":"a","downloaded":1,"retweets":0,"short":0,"kept":1}]}"#,
            |e| matches!(e, CardWriteError::NoTemplate { generation: 2, .. }),
        ),
        (r#"{"names":["a"],"handle":"a","widget":["LONG"]}"#, |e| {
            matches!(e, CardWriteError::TooLarge { .. })
        }),
    ];
    for (json, check) in cases {
        let json = json.replace("LONG", &"x".repeat(MAX_CARD_BYTES));
        let error = write::from_json(json.as_bytes(), false).unwrap_err();
        assert!(check(&error), "{}: {error}", &json[..json.len().min(200)]);
        assert!(!error.hint().is_empty());
    }
}
