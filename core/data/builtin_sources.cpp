#include "core/data/builtin_sources.h"

#include "core/data/corpora.h"
#include "core/data/synthetic_plays.h"
#include "core/data/text_files.h"

namespace bitlab {

namespace {

Source tinyshakespeare() {
  Source source;
  source.name = "tinyshakespeare";
  source.bytes = 1115394;
  source.sha256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed";
  source.forms = {{{source.name,
                    "input.txt",
                    {"https://raw.githubusercontent.com/karpathy/char-rnn/master/data/"
                     "tinyshakespeare/input.txt"},
                    source.bytes,
                    source.sha256}}};
  source.licence = "public domain";
  source.description = "40,000 lines of Shakespeare's plays, 65 characters";
  return source;
}

Source generated_plays() {
  Source source;
  source.name = "synthetic-plays";
  source.bytes = kSyntheticPlaysBytes;
  source.sha256 = "6f6a82b78bc80c31553978755339f513006381cdf7e4cf4faec5d2bb0b93de03";
  source.licence = "MIT, as bitlab";
  source.description =
      "plays made up by a grammar of known entropy, 64 characters; needs no network";
  source.generate = synthetic_plays;
  return source;
}

Source wikitext() {
  Source source;
  source.name = "wikitext-2";
  source.bytes = 13175278;
  source.sha256 = "ae68419bb807fe5a7c56f63f6053ccfcccb6bcaadc8293465bc69a48eddb6a7c";
  source.licence = "CC BY-SA 3.0";
  source.description = "601 articles of Wikipedia; its own train, valid and test";
  source.forms = {{{source.name,
                    "wikitext-2-v1.zip",
                    {"https://wikitext.smerity.com/wikitext-2-v1.zip",
                     "https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip"},
                    0,
                    "92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c"}},
                  {{source.name,
                    "wiki.train.article-permuted.tokens",
                    {},
                    10797148,
                    "728c77e87e176af4730f9a80fc6008bcaff421a7202c1c048877c0eec3685f89"},
                   {source.name,
                    "wiki.valid.tokens",
                    {},
                    1121681,
                    "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"},
                   {source.name,
                    "wiki.test.tokens",
                    {},
                    1256449,
                    "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"}}};
  source.read = read_wikitext;
  return source;
}

Source tinystories() {
  const std::string url =
      "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/"
      "f54c09fd23315a6f9c86f9dc80f725de7d8f9c64/";
  const std::string train = "TinyStoriesV2-GPT4-train.txt", valid = "TinyStoriesV2-GPT4-valid.txt";
  Source source;
  source.name = "tinystories";
  source.bytes = 0;  // known once the stories are read
  source.licence = "CDLA-Sharing-1.0";
  source.description = "2.7 million stories in simple words (V2, by GPT-4), 2.2 GB; its own valid";
  source.forms = {{{source.name,
                    train,
                    {url + train},
                    2227753162,
                    "6418d412de72888f52b5142c761ac21a582f7d1166f0bfbdb5f03ccfdec90443"},
                   {source.name,
                    valid,
                    {url + valid},
                    22502601,
                    "6874bae9a4c1a4e7edcf0e53b86c17817e9cf881fc75ff2368da457b80c0585d"}}};
  source.read = read_tinystories;
  return source;
}

Source imdb() {
  Source source;
  source.name = "imdb";
  source.bytes = 64473768;
  source.sha256 = "f662853edb041373ea38b95421996464055c9d9046dd80266717dc04677ab275";
  source.licence = "research use";
  source.description =
      "50,000 film reviews; train is cut, test is its own (cite Maas et al., 2011)";
  source.forms = {{{source.name,
                    "aclImdb_v1.tar.gz",
                    {"https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"},
                    84125825,
                    "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"}},
                  {{source.name,
                    "aclImdb_labeled.tar.gz",
                    {},
                    28630965,
                    "fc132c2a23a4d23eec474b518907765dbc9c59e648c1e57ac8010670238ed697"}}};
  source.read = read_imdb;
  return source;
}

// The same files with what the reviewers thought.
Source imdb_sentiment() {
  Source source = imdb();
  source.name = "imdb-sentiment";
  source.description =
      "the same reviews, each negative or positive: 25,000 to train, 25,000 to test";
  source.labels = {"negative", "positive"};
  source.read_labelled = read_imdb_labelled;
  return source;
}

// Those that nobody labelled, to learn the language of reviews from.
Source imdb_unlabelled() {
  Source source = imdb();
  source.name = "imdb-unlabelled";
  source.bytes = 0;  // known once they are read
  source.sha256.clear();
  source.description = "50,000 more reviews without labels: 49,000 to train, 1,000 to test";
  source.forms.back() = {{"imdb",
                          "imdb_unsup.jsonl.gz",
                          {},
                          26020376,
                          "6142a5fe166ebdd9a82e0a2549d430b561215db2bf2cc2547c716cbb57286c9b"}};
  source.read = [](const FetchedSource& files, const TextPartSink& sink) {
    read_imdb_unlabelled(files, [&](const LabelledText& review) {
      const bool test = review.split == LabelledSplit::Test;
      sink({test ? TextSplit::Test : TextSplit::Whole, review.text, true, "imdb review"});
    });
  };
  source.read_labelled = read_imdb_unlabelled;
  return source;
}

Source own_files() {
  Source source;
  source.name = "files";
  source.licence = "yours";
  source.description = "texts of one's own: data.files.path and other settings (docs/data.md)";
  source.make_config = [] { return std::make_unique<FilesConfig>(); };
  source.open = [](const Configurable& config) {
    return files_corpus(dynamic_cast<const FilesConfig&>(config));
  };
  return source;
}

}  // namespace

void register_builtin_sources(Registry<Source>& registry) {
  for (const Source& source : {tinyshakespeare(), generated_plays(), wikitext(), tinystories(),
                               imdb(), imdb_sentiment(), imdb_unlabelled(), own_files()})
    registry.add(source.name, source);
}

}  // namespace bitlab
