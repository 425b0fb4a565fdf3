window.YTD.tweets.part0 = [
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000001"
          ],
          "editableUntil" : "2021-06-01T01:00:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "47"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000001",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000001",
      "created_at" : "Tue Jun 01 00:00:00 +0000 2021",
      "favorited" : false,
      "full_text" : "Good morning to everybody who tests &amp; reads",
      "lang" : "en"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000002"
          ],
          "editableUntil" : "2021-06-02T01:00:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "51"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000002",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000002",
      "created_at" : "Wed Jun 02 00:00:00 +0000 2021",
      "favorited" : false,
      "full_text" : "RT @some_one: an old joke about parsers and their …",
      "lang" : "en"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000003"
          ],
          "editableUntil" : "2021-06-02T02:00:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "33"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000003",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000003",
      "created_at" : "Wed Jun 02 01:00:00 +0000 2021",
      "favorited" : false,
      "full_text" : "@some_one thanks so much for that",
      "lang" : "en",
      "in_reply_to_status_id_str" : "1399",
      "in_reply_to_user_id_str" : "55",
      "in_reply_to_screen_name" : "some_one"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000004"
          ],
          "editableUntil" : "2021-06-03T01:00:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "28"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000004",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000004",
      "created_at" : "Thu Jun 03 00:00:00 +0000 2021",
      "favorited" : false,
      "full_text" : "nice https://t.co/aaaaaaaaaa",
      "lang" : "en"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000005"
          ],
          "editableUntil" : "2021-06-03T01:01:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "49"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000005",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000005",
      "created_at" : "Thu Jun 03 00:01:00 +0000 2021",
      "favorited" : false,
      "full_text" : "A thread about kites, part one\nwith a second line",
      "lang" : "en"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000006"
          ],
          "editableUntil" : "2021-06-03T01:02:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "51"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000006",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000006",
      "created_at" : "Thu Jun 03 00:02:00 +0000 2021",
      "favorited" : false,
      "full_text" : "and part two of that thread https://t.co/bbbbbbbbbb",
      "lang" : "en",
      "in_reply_to_status_id_str" : "1400000000000000005",
      "in_reply_to_user_id_str" : "1000000000000000007",
      "in_reply_to_screen_name" : "Ada_Testwell"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000007"
          ],
          "editableUntil" : "2021-07-01T01:00:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "13"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000007",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000007",
      "created_at" : "Thu Jul 01 00:00:00 +0000 2021",
      "favorited" : false,
      "full_text" : "今日はとても良い天気ですね",
      "lang" : "ja"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000008"
          ],
          "editableUntil" : "2021-07-01T03:13:20.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : [
          {
            "url" : "https://t.co/cccccccccc",
            "expanded_url" : "https://twitter.com/some_one/status/1399999999999999999",
            "indices" : [
              "22",
              "45"
            ]
          }
        ]
      },
      "display_text_range" : [
        "0",
        "45"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000008",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000008",
      "created_at" : "Thu Jul 01 02:13:20 +0000 2021",
      "favorited" : false,
      "full_text" : "look at this one here https://t.co/cccccccccc",
      "lang" : "en"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000009"
          ],
          "editableUntil" : "2021-07-02T07:00:00.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "44"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000009",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000009",
      "created_at" : "Fri Jul 02 06:00:00 +0000 2021",
      "favorited" : false,
      "full_text" : "🌸 spring is here 🌸 &lt;3 &quot;finally&quot;",
      "lang" : "en"
    }
  },
  {
    "tweet" : {
      "edit_info" : {
        "initial" : {
          "editTweetIds" : [
            "1400000000000000010"
          ],
          "editableUntil" : "2021-07-03T10:46:40.000Z",
          "editsRemaining" : "5",
          "isEditEligible" : true
        }
      },
      "retweeted" : false,
      "source" : "<a href=\"https://example.com\" rel=\"nofollow\">An invented client</a>",
      "entities" : {
        "hashtags" : [],
        "symbols" : [],
        "user_mentions" : [],
        "urls" : []
      },
      "display_text_range" : [
        "0",
        "31"
      ],
      "favorite_count" : "3",
      "id_str" : "1400000000000000010",
      "truncated" : false,
      "retweet_count" : "0",
      "id" : "1400000000000000010",
      "created_at" : "Sat Jul 03 09:46:40 +0000 2021",
      "favorited" : false,
      "full_text" : "RT by hand is no retweet at all",
      "lang" : "en"
    }
  }
]