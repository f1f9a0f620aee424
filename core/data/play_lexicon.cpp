#include "core/data/play_lexicon.h"

#include <sstream>

namespace bitlab {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

std::vector<std::string> words(const std::string& text) { return split(text, ' '); }

}  // namespace

const std::map<std::string, std::vector<std::string>>& play_words() {
  static const std::map<std::string, std::vector<std::string>> kWords = {
      {"noun", words("heart king night love sword moon crown world queen grave day name soul "
                     "storm father fire sea ghost house mother winter dagger tongue brother "
                     "shadow garden daughter prince throne flower mirror hand spring candle "
                     "wound letter bell river sorrow dream hour honour summer silence lion "
                     "raven cup ring secret oath knave mask thorn vow feast bough jewel "
                     "quarrel exile gaze castle mountain hammer mantle sceptre harvest morning "
                     "evening thunder feather falcon serpent temple altar desert forest meadow "
                     "vessel harbour banner trumpet battle victory duty malice mercy justice "
                     "treason wisdom folly fortune patience beauty envy anger laughter music "
                     "riddle shepherd sailor beggar scholar tyrant pilgrim stranger servant "
                     "widow hunter physician husband bride cousin orphan lamp chain wheel "
                     "bridge gate wall tower window chamber pillow cradle coffin marble amber "
                     "ivory honey poison wine bread salt frost rain mist dew dust smoke echo "
                     "whisper")},
      {"nouns", words("stars men eyes tears words gods years kings hearts lovers swords winds "
                      "flowers enemies shadows friends dreams waves soldiers birds fools "
                      "secrets widows ravens hours wolves roses candles letters oaths captains "
                      "ashes bells traitors maids torches lips graves zealots fathers mothers "
                      "brothers daughters nights mornings mountains rivers forests banners "
                      "towers bridges harbours trumpets serpents shepherds sailors pilgrims "
                      "strangers beggars scholars tyrants echoes whispers dreamers kingdoms "
                      "queens princes thorns jewels")},
      {"adj", words("sweet cold noble false gentle dark bright cruel bitter old golden weary "
                    "silent bold proud fair heavy secret-hearted pale sudden wretched merry "
                    "lonely broken honest royal hollow quiet burning idle jealous frozen "
                    "wicked humble hungry restless vexed crooked well-beloved dizzy patient "
                    "faithful faithless lovely ugly ancient youthful barren fertile distant "
                    "foreign guilty guiltless gracious grievous hasty holy idolatrous infinite "
                    "lawful lofty loyal mighty mortal immortal naked narrow needy peaceful "
                    "pitiful precious reckless rusty savage sacred scornful shallow simple "
                    "sober solemn starry stubborn subtle swift tedious tender thankless "
                    "valiant virtuous vulgar wanton wintry worthy yielding zealous")},
      {"vt3", words("loves breaks holds fears keeps finds hates hides steals mourns crowns "
                    "burns guards betrays forgives wakes follows commands remembers seeks "
                    "wounds mocks praises conquers quenches devours judges poisons outlives "
                    "seizes adores accuses answers awakes banishes blesses blinds carries "
                    "chases cheats chides comforts condemns covers defends delights denies "
                    "despises divides embraces enchants envies pities rewards rules saves "
                    "serves shames shelters strikes summons tames tempts teaches threatens "
                    "warms welcomes")},
      {"vt", words("love fear keep break hold find hate hide steal mourn crown guard betray "
                   "forgive follow command remember seek wound mock praise conquer quench "
                   "devour judge poison outlive seize curse adore accuse answer awake banish "
                   "bless blind carry chase cheat chide comfort condemn cover defend delight "
                   "deny despise divide embrace enchant envy pity reward rule save serve shame "
                   "shelter strike summon tame tempt teach threaten warm welcome")},
      {"vi3", words("sleeps weeps dies falls sings burns wakes speaks waits laughs fades "
                    "trembles wanders returns listens kneels rages withers ripens vanishes "
                    "blooms bleeds breathes crumbles dances descends drifts drowns flies "
                    "flourishes gleams groans hastens lingers melts moans perishes prays rests "
                    "shines shivers sinks slumbers smiles stumbles swells yields")},
      {"vi", words("sleep weep die fall sing speak wait laugh fade tremble wander return "
                   "listen kneel rage wither rise depart expire vanish bloom bleed breathe "
                   "crumble dance descend drift drown fly flourish gleam groan hasten linger "
                   "melt moan perish pray rest shine shiver sink slumber smile stumble swell "
                   "yield")},
      {"pp", words("lost seen broken found loved kept heard buried stolen betrayed forgotten "
                   "sworn crowned forsaken wounded burned sold cursed mocked hidden praised "
                   "quenched vexed accused answered banished blessed blinded carried chased "
                   "cheated comforted condemned defended denied despised divided embraced "
                   "enchanted envied pitied rewarded ruled saved served shamed sheltered "
                   "summoned tamed tempted threatened welcomed")},
      {"adv", words("softly no-more again tonight alone in-vain for-ever slowly too-late apace "
                    "aloud untimely at-night at-dawn in-silence in-sorrow for-nothing for-love "
                    "meanwhile to-day to-morrow too-soon once-more unseen unheard gladly sadly "
                    "swiftly")},
      {"name", words("Orlan Beatrix Cassio Diomira Evander Florizel Quintus Ximena Jaquenet "
                     "Zeno Ursula Valerio")},
      {"place", words("Corinth Tyre Illyria Verona Naxos Padua Genoa Khios Lesbos Rhodes "
                      "Syracuse Hybla Marseilles")},
      {"where", words("beneath above beyond before behind beside within without")},
  };
  return kWords;
}

const std::vector<std::string>& verse_lines() {
  static const std::vector<std::string> kLines = split(
      "5 The <adj> <noun> <vt3> the <noun>~|3 The <adj> <noun> <vt3> my <noun>~|3 The <adj> "
      "<nouns> <vt> the <noun>~|"
      "3 The <noun> <vt3> the <nouns> of <place>~|3 The <noun> is <adj> and the <noun> is <adj>~|"
      "2 The <noun> that I have <pp> <vt3> thee~|2 The <nouns> of <place> <vt> the <adj> <noun>~|"
      "3 The <nouns> <vi> <where> the <adj> <noun>~|"
      "4 My <noun> <vi3> <where> the <noun>~|3 My <adj> <noun> <vi3> <adv>~|2 My <nouns> <vi> "
      "<adv>~|"
      "2 My lord, the <noun> <vi3>~|2 My lady, thou hast <pp> my <noun>~|"
      "4 I <vt> the <noun> and <vt> the <adj> <noun>~|4 I have <pp> the <noun> of <name>~|"
      "3 I have <pp> my <noun> and my <noun>~|2 I am <adj> as the <noun> of <place>~|2 I am no "
      "<noun>~|"
      "3 I shall <vt> the <nouns> that <vt> my <noun>~|3 I will <vi> <where> the <adj> <noun>~|"
      "3 Thou hast <pp> my <adj> <noun>~|3 Thou art <adj> as the <noun>~|2 Thou art the <noun> of "
      "my <noun>~|"
      "2 Thou shalt not <vt> my <noun>~|2 Let <name> <vt> the <noun>~|2 Let us <vi> <where> the "
      "<noun>~|"
      "2 Let not the <noun> <vt> thee~|2 <Name> hath <pp> the <adj> <noun>~|2 <Name> <vt3> the "
      "<noun> <adv>~|"
      "2 In <place> the <nouns> <vi> <adv>~|2 In <adj> <nouns> I <vt> thy <noun>~|"
      "2 This <noun> is mine, and mine the <noun>~|2 This <adj> <noun> <vi3> <adv>~|2 'Tis <adj> "
      "to <vt> a <noun>~|"
      "2 What <noun> <vt3> the <noun>?|2 What <adj> <noun> is this?|2 Where is the <noun> that I "
      "<vt>?|"
      "2 Where is my <adj> <noun>?|2 Shall I <vt> the <adj> <noun>?|2 Shall <name> <vi> <adv>?|"
      "2 Why doth the <noun> <vi> <adv>?|1 Why dost thou <vt> my <noun>?|1 Who <vt3> the <noun> of "
      "<name>?|"
      "2 How <adj> is the <noun> of <place>!|2 O <adj> <noun>!|2 O <name>, my <noun>!|1 O <nouns>, "
      "<nouns>!|"
      "1 Alas, the <adj> <noun>!|1 Farewell, <adj> <name>!|1 Come, <adj> <noun>!|1 Never, while "
      "the <noun> <vi3>!",
      '|');
  return kLines;
}

const std::vector<std::string>& verse_continuations() {
  static const std::vector<std::string> kLines = split(
      "4 And <name> <vt3> the <noun>~|4 And all the <nouns> <vt> the <noun>~|3 And in the <noun> "
      "the <nouns> <vi>~|"
      "3 But I have <pp> the <adj> <noun>~|3 But the <noun> of <place> <vi3>~|2 But not the <noun> "
      "of <name>~|"
      "3 For <adj> <nouns> <vt> the <noun>~|2 For I <vt> thee and thy <noun>~|2 For thou hast <pp> "
      "the <noun>~|"
      "3 When the <adj> <noun> <vi3>~|2 When <nouns> <vi> <where> the <noun>~|2 As <nouns> <vi> "
      "when the <noun> <vi3>~|"
      "2 As <adj> as the <noun> of <place>~|2 That <adj> <noun> of <place>~|2 That <vt3> the "
      "<nouns> and the <noun>~|"
      "2 Yet the <noun> <vi3> <adv>~|2 Yet <name> <vt3> my <noun>~|2 With <adj> <noun> and <adj> "
      "<noun>~|"
      "2 Till the <nouns> <vi> in <place>~|2 Nor <noun> nor <noun> shall <vt> thee~|1 So <adj> is "
      "the <noun>~",
      '|');
  return kLines;
}

const std::vector<std::string>& prose_sentences() {
  static const std::vector<std::string> kSentences = split(
      "4 Sir, I have <pp> your <noun>~|3 Sir, the <noun> is <adj>~|3 Marry, the <noun> <vi3> like "
      "a <noun>~|"
      "2 Marry, sir, I am a <adj> <noun>~|3 By my <noun>, your <noun> is a <adj> <noun>~|"
      "3 Why, then the <noun> must <vi>~|2 Why, a <noun> may <vt> a <noun>~|2 Why, what <adj> "
      "<noun> is this?|"
      "3 If the <noun> be <adj>, then I am a <noun>~|2 If you <vt> the <noun>, the <noun> will "
      "<vt> you~|"
      "3 Here is a <noun> that hath <pp> a <noun>~|2 Here comes <name> with a <adj> <noun>~|"
      "3 I pray you, <vt> the <noun>~|2 I had rather <vt> a <noun> than <vt> a <adj> <noun>~|"
      "2 I knew a <noun> in <place> that <vi3> <adv>~|3 There is no <noun> but <vt3> a <noun>~|"
      "2 There was a <adj> <noun> that had <pp> his <noun>~|2 Give me a <noun> and a <adj> <noun>~|"
      "2 A <noun> is a <noun>, and a <adj> <noun> is none~|2 Do you <vt> the <noun>, sir?|1 Do "
      "<nouns> <vi>?|"
      "2 Hath <name> a <noun>?|1 O, the <noun>!|1 Well, well!|1 Ha, a <adj> <noun>!",
      '|');
  return kSentences;
}

}  // namespace bitlab
