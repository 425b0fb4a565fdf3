//! `PreTokenizer`: how a text is split into words, by the names that GGUF's key `tokenizer.ggml.pre` has for it.
//!
//! Source: llama.cpp `src/llama-vocab.cpp`; the patterns are those of the `tokenizer.json` files that its own were made of.

use serde_json::{Map, Value, json};

use super::parts;

/// The name of GPT-2's own way.
pub(super) const GPT2: &str = "gpt-2";

const GPT2_PATTERN: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN_PATTERN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O_PATTERN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3_PATTERN: &str = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
const JAIS2_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const SEED_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING_PATTERN: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const BLOOM_PATTERN: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";
const DEEPSEEK_LETTERS: &str = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗ\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}ℂℇℊ-ℓℕℙ-ℝℤ\x{2126}\x{2128}\x{212a}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
const HAN_AND_HANGUL: &str = "[一-龥ࠀ-一가-퟿]+";
const HAN_AND_KANA: &str = "[一-龥぀-ゟ゠-ヿ]+";

/// One way of splitting.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreTokenizer {
    /// Its names; the first is the one that is written.
    names: &'static [&'static str],
    /// Each splits the pieces that those before it leave; matches and what is between them are words.
    patterns: &'static [&'static str],
    /// A word that is a token needs no merges.
    pub(super) ignores_merges: bool,
}

const fn way(names: &'static [&'static str], patterns: &'static [&'static str]) -> PreTokenizer {
    PreTokenizer {
        names,
        patterns,
        ignores_merges: false,
    }
}

const WAYS: [PreTokenizer; 27] = [
    way(
        &[
            GPT2,
            "gpt2",
            "phi-2",
            "mpt",
            "olmo",
            "jais",
            "jina-es",
            "jina-de",
            "jina-v1-en",
            "jina-v2-es",
            "jina-v2-de",
            "jina-v2-code",
            "roberta-bpe",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "exaone4",
            "trillion",
            "granite-docling",
        ],
        &[GPT2_PATTERN],
    ),
    PreTokenizer {
        ignores_merges: true,
        ..way(
            &[
                "llama-bpe",
                "llama3",
                "llama-v3",
                "falcon3",
                "falcon-h1",
                "pixtral",
                "midm-2.0",
                "lfm2",
                "jina-v5-nano",
            ],
            &[LLAMA3_PATTERN],
        )
    },
    PreTokenizer {
        ignores_merges: true,
        ..way(&["glm4", "glm5"], &[LLAMA3_PATTERN])
    },
    way(&["dbrx", "smaug-bpe", "chatglm-bpe"], &[LLAMA3_PATTERN]),
    way(
        &[
            "qwen2",
            "deepseek-r1-qwen",
            "kormo",
            "f2llmv2",
            "megrez",
            "stablelm2",
            "hunyuan",
            "solar-open",
            "grok-2",
        ],
        &[QWEN2_PATTERN],
    ),
    way(&["qwen35"], &[QWEN35_PATTERN]),
    way(
        &["deepseek-llm"],
        &[
            "[\r\n]",
            DEEPSEEK_LETTERS,
            r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
            r"\s+$",
            HAN_AND_HANGUL,
            r"\p{N}+",
        ],
    ),
    way(
        &["deepseek-coder"],
        &[
            "[\r\n]",
            r"\s?\p{L}+",
            r"\s?\p{P}+",
            HAN_AND_HANGUL,
            r"\p{N}",
        ],
    ),
    way(
        &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        &[r"\p{N}{1,3}", HAN_AND_KANA, DEEPSEEK3_PATTERN],
    ),
    way(
        &["falcon"],
        &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2_PATTERN, "[0-9][0-9][0-9]"],
    ),
    way(
        &[
            "starcoder",
            "refact",
            "command-r",
            "smollm",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
        &[r"\p{N}", GPT2_PATTERN],
    ),
    way(
        &["default"],
        &[
            r"[\p{P}\$\+<=>\^~\|]+",
            GPT2_PATTERN,
            r"\p{N}+",
            "[0-9][0-9][0-9]",
        ],
    ),
    PreTokenizer {
        ignores_merges: true,
        ..way(&["tekken"], &[TEKKEN_PATTERN])
    },
    way(
        &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
        &[GPT4O_PATTERN],
    ),
    PreTokenizer {
        ignores_merges: true,
        ..way(&["granite-embed-multi-97m"], &[GPT4O_PATTERN])
    },
    way(&["jais-2"], &[JAIS2_PATTERN]),
    way(&["superbpe"], &[r"\p{N}+", r"(?=(\d{3})+(?!\d))"]),
    way(
        &["chameleon"],
        &[
            "<sentinel:[0-9]+>",
            "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
            r"([\t\n]|    |  )",
            r"\p{N}",
            r"[\p{P}!-/:-@\[-`{-~]",
            r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
        ],
    ),
    way(
        &["tiny_aya", "cohere2moe"],
        &[r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O_PATTERN],
    ),
    way(&["seed-coder"], &[SEED_PATTERN]),
    way(
        &["bailingmoe", "bailingmoe2", "llada-moe"],
        &[BAILING_PATTERN],
    ),
    way(&["poro-chat", "bloom", "gpt3-finnish"], &[BLOOM_PATTERN]),
    way(&["viking"], &[BLOOM_PATTERN, r"\p{N}"]),
    way(&["laguna"], &[r"[^\n]+|[\n]+", QWEN2_PATTERN]),
    way(
        &["ufakzeka"],
        &[r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    ),
    PreTokenizer {
        ignores_merges: true,
        ..way(
            &["minicpm5"],
            &[
                r"\p{N}{1,3}",
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ],
        )
    },
    way(
        &["exaone-moe"],
        &[
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
        ],
    ),
];

impl PreTokenizer {
    /// The way with this name, if it is known.
    pub(super) fn of(name: &str) -> Option<Self> {
        WAYS.into_iter().find(|way| way.names.contains(&name))
    }

    /// The name of a way of this kind, if llama.cpp has one: of a `tokenizer.json`'s pre-tokenizer.
    pub(super) fn name_of(pre_tokenizer: &Value, ignores_merges: bool) -> Option<&'static str> {
        let parts = pre_tokenizer["pretokenizers"].as_array()?;
        let (last, splits) = parts.split_last()?;
        let is_bytes = last["type"] == "ByteLevel"
            && last["use_regex"] == false
            && last["add_prefix_space"] != true;
        let pattern = |part: &Value| {
            let is_isolated = part["behavior"] == "Isolated" && part["invert"] != true;
            let pattern = part["pattern"]["Regex"].as_str();
            pattern.filter(|_| is_isolated).map(str::to_owned)
        };
        let patterns: Vec<String> = splits.iter().map(pattern).collect::<Option<_>>()?;
        let same = |way: &PreTokenizer| {
            way.ignores_merges == ignores_merges && patterns.iter().eq(way.patterns.iter())
        };
        let way = WAYS.into_iter().find(same).filter(|_| is_bytes)?;
        way.names.first().copied()
    }

    /// Whether it is GPT-2's.
    pub(super) fn is_gpt2s(self) -> bool {
        self.names.contains(&GPT2)
    }

    /// The parts beside the model of a byte-level BPE that splits a text in this way.
    pub(super) fn settings(self) -> Map<String, Value> {
        let mut settings = parts::byte_level(false);
        if !self.is_gpt2s() {
            let split = |pattern: &&str| {
                json!({
                    "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false,
                })
            };
            let bytes = json!({
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
            });
            let parts: Vec<Value> = self.patterns.iter().map(split).chain([bytes]).collect();
            let parts = json!({ "type": "Sequence", "pretokenizers": parts });
            settings.insert("pre_tokenizer".to_owned(), parts);
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_stands_for_one_way_whose_patterns_are_read() {
        let mut names = HashSet::new();
        for way in WAYS {
            for name in way.names {
                assert!(names.insert(*name), "{name} twice");
            }
            let mut file = way.settings();
            file.insert(
                "model".to_owned(),
                json!({ "type": "BPE", "vocab": { "a": 0 }, "merges": [] }),
            );
            assert!(parts::read(file).is_ok(), "{:?}", way.names);
        }
    }

    #[test]
    fn a_way_is_known_again_by_its_patterns() {
        for way in WAYS.into_iter().filter(|way| !way.is_gpt2s()) {
            let found = PreTokenizer::name_of(&way.settings()["pre_tokenizer"], way.ignores_merges);
            let found = found.and_then(PreTokenizer::of).map(|way| way.patterns);
            assert_eq!(found, Some(way.patterns));
        }
        assert_eq!(
            PreTokenizer::name_of(&json!({ "type": "ByteLevel" }), false),
            None
        );
        assert_eq!(PreTokenizer::name_of(&Value::Null, false), None);
    }
}
