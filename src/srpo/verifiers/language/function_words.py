"""Frequent function words of languages in Latin and Cyrillic script: what tells them apart.

Only words of closed classes (articles, pronouns, prepositions, conjunctions, auxiliaries) and a
few that link the steps of an argument. Left out: what is an ordinary word, a name or a function
in English mathematics (German `die`, Spanish `sin`, French `plus`), and single letters, which are
variables. Add a language by adding its row.
"""

# ruff: noqa: RUF001, SIM905

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

FUNCTION_WORDS = {
    "en": (
        "the of and to in is are was were be been being that this these those it its for with "
        "as by on at from or an we you he she they them his her their our your my me us him "
        "i'm has have had do does did not but if then than so because since which who whom "
        "whose what when where while there here will would can could should may might must let "
        "each every all any some both either neither only also just more most less many much "
        "other another such same into onto over under between through after before until about "
        "against per how why now thus hence therefore however first next finally no nor yes "
        "wait maybe again"
    ),
    "es": (
        "el la los las un una unos unas de del al que en es son era eran ser está están estar "
        "hay ha han haber por para con sin se su sus lo le les nos me mi como más pero este "
        "esta estos estas ese esa eso esto entre cuando donde también porque si ya muy sobre "
        "hasta desde cada todo toda todos todas otro otra entonces luego así pues aunque cuál "
        "cuánto cuántos tiene tenemos podemos debe puede ahora primero después mientras qué "
        "cómo según ambos ambas hemos vamos queda fue sea ni nuestro nuestra tanto"
    ),
    "pt": (
        "os as um uma uns umas de do da dos das no na nos nas ao aos à às que em é são era "
        "eram ser está estão há foi por para com sem se seu sua seus suas como mais mas ou "
        "este esta isto isso esse essa entre quando onde também porque já muito sobre até "
        "desde cada todo toda todos todas outro outra então logo assim pois embora qual quanto "
        "tem temos podemos deve pode agora primeiro depois enquanto não pelo pela pelos pelas "
        "nosso nossa vamos ele ela eles fica nem"
    ),
    "fr": (
        "le la les un une des du de et est sont était être avoir ont il elle ils elles on nous "
        "vous je tu que qui quoi dont où ce cet cette ces cela ça se sa ses leur leurs notre "
        "votre en dans par pour avec sans sous sur chez vers mais ou donc car ni si comme plus "
        "moins très aussi alors ainsi puis ensuite parce puisque lorsque quand chaque tout "
        "tous toute toutes autre autres entre deux peut peuvent doit fait faut ne pas au aux "
        "même après avant maintenant d'abord voici voilà soit quel quelle obtient obtenons "
        "avons combien"
    ),
    "it": (
        "il lo la gli le un uno una di del dello della dei degli delle da dal dalla al alla ai "
        "alle nel nella nei nelle sul sulla che ed è sono era erano essere avere ha hanno per "
        "con senza si suo sua suoi sue come più ma questo questa questi queste quello quella "
        "ciò tra fra quando dove anche perché già molto su fino ogni tutto tutti tutte altro "
        "altra quindi allora così poi poiché dunque cui quale quanto abbiamo possiamo deve può "
        "ora prima dopo mentre non cioè ci ne infine ottiene resta"
    ),
    "ca": (
        "el la els les un una uns unes de del dels al als que en és són era ser hi ha han per "
        "amb sense es seu seva com més però aquest aquesta això quan on també perquè si ja "
        "molt sobre fins des cada tot tota tots altre doncs llavors així després mentre no "
        "tenim podem ara"
    ),
    "ro": (
        "un unei unui și si de la cu în pe din este sunt era fi al ai ale care ce nu se să mai "
        "dar sau pentru prin dacă când unde deci apoi astfel această acest acestea fiecare "
        "toate tot doi avem putem trebuie poate acum după între"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer eines und oder aber ist sind war "
        "waren sein wird werden wurde haben hat hatte ich du er sie es wir ihr uns ihm ihn "
        "nicht kein keine von vom zu zum zur mit auf aus bei beim nach für über unter zwischen "
        "durch ohne um im in am an als auch noch nur schon so dann wenn weil dass daß ob wie "
        "was wer wo welche welcher dieser diese dieses jede jeder jedes alle also daher "
        "deshalb damit man kann können muss müssen gilt somit jetzt zuerst danach zwei bleibt "
        "ergibt gibt sich sehr hier dort"
    ),
    "nl": (
        "de het een en of maar is zijn was waren wordt worden heeft hebben had ik jij hij zij "
        "we wij ze ons onze hun niet geen van voor met op aan uit bij naar over onder tussen "
        "door zonder om in als ook nog al zo dan wanneer omdat dat dit deze die er hoe wat wie "
        "waar welke elke elk alle dus daarom daarna eerst kan kunnen moet moeten nu te tot "
        "blijft twee krijgen samen hoeveel"
    ),
    "sv": (
        "och att det den de en ett är var som på för med av till från inte men eller om när "
        "där här han hon vi ni jag oss deras sin sitt sina kan ska måste har hade blir får så "
        "då eftersom därför alla varje båda mellan efter innan över under genom utan också "
        "bara nu först sedan hur vad vilket denna detta dessa två"
    ),
    "da": (
        "og at det den de en et er var som på for med af til fra ikke men eller om når hvor "
        "her han hun vi jeg os deres sin kan skal må har hadde havde blir bliver får så da "
        "fordi derfor alle hver hvert begge mellom mellem etter efter før over under uten uden "
        "også bare nå nu først hvordan hva hvad hvilken dette denne disse av ble blev sig seg"
    ),
    "fi": (
        "ja on ovat oli että se ne ei mutta tai kun jos niin myös sekä joka jotka mikä mitä "
        "kuin siis sitten koska nyt ensin ennen jälkeen tämä tämän nämä siitä sen hän me he "
        "voi voidaan täytyy saadaan kaikki kaksi olemme meillä niiden vielä"
    ),
    "pl": (
        "na do się nie to jest są był była było być że jak ale lub oraz od po za przez dla "
        "przy pod nad ze ten ta te tego tej tym tych który która które co gdy jeśli więc zatem "
        "potem następnie ponieważ także tylko już każdy każda dwa mamy może można musi teraz "
        "między ich jego jej ma mają dlatego wtedy czyli"
    ),
    "cs": (
        "na do se je jsou byl byla bylo být že jak ale nebo od po za pro při pod nad ze ten ta "
        "to té tom těch který která které co když jestli tedy proto potom pak protože také jen "
        "už každý každá dva máme může můžeme musí teď mezi jejich jeho její má mají aby není"
    ),
    "hu": (
        "az egy és vagy de hogy nem is van vannak volt ez azt ezt mert ha akkor tehát így majd "
        "mint csak már még meg minden mindkét két ami amely aki hány kell lehet most először "
        "után között ezért ezek"
    ),
    "tr": (
        "ve bir bu şu da de ile için olan olarak değil ama veya ki ne ise eğer çünkü sonra "
        "önce daha her iki gibi kadar olur var yok şimdi böylece yani ayrıca hem göre vardır "
        "kaç olduğunu olduğu eder ederiz"
    ),
    "vi": (
        "và là của có được cho các những một này đó với trong khi thì mà không nên vì nếu ta "
        "chúng tôi bạn ra vào sau trước đã sẽ cũng như từ bằng để vậy tổng số mỗi hai còn lại"
    ),
    "id": (
        "yang dan di ke dari untuk dengan pada adalah ini itu tidak atau juga karena jika maka "
        "kita kami dia mereka akan dapat bisa sudah telah ada dalam oleh sebagai setiap semua "
        "jadi sehingga kemudian lalu sekarang pertama antara kedua berapa"
    ),
    "ru": (
        "и в на не что он она они мы вы я с по к из у за от для это эта этот эти так как но "
        "или а же бы то если когда где который которая которые есть был была было быть его её "
        "их нам нас все всё каждый также тогда потом затем поэтому значит следовательно чтобы "
        "только уже ещё при сначала теперь может можно нужно между после перед"
    ),
    "uk": (
        "і й та в у на не що він вона вони ми ви я з із по до від за для це ця цей ці так як "
        "але або ж би то якщо коли де який яка які є був була було бути його її їх нам нас все "
        "усі кожен також тоді потім тому отже щоб тільки вже ще при спочатку тепер може можна "
        "треба між після"
    ),
}

# Names and phrases that other languages borrow are full of these ("Juan de la Cruz", "et al.",
# "c'est la vie"): alone they show nothing. Also words with another meaning in English.
WEAK_WORDS = frozenset(
    (
        "al all an and as at by con da das de del den der des di do dos du el en est et for "
        "from het if in je la las le les lo los me na ne ni no non nos not of on or os per que "
        "se si sur the to un una und une van von with à"
    ).split()
)

# Ordinary words, names or abbreviations in English text: no evidence of another language.
NOT_EVIDENCE = frozenset(
    (
        "ai al am bare bei car co dan die dont er es et fait fra ha hat hay hem ki ma man men "
        "mi par pas plus pod pour pro sea ses si sin son sous sur ta ten tom tot tout tu um "
        "van var vers war"
    ).split()
)


def _languages_of() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for language, words in FUNCTION_WORDS.items():
        for word in words.split():
            found.setdefault(word, set()).add(language)
    return {word: frozenset(languages) for word, languages in found.items()}


LANGUAGES_OF = _languages_of()
"""Lower-case word -> the languages (ISO 639-1) whose function word it is."""


def count(words: Iterable[str]) -> Counter[str]:
    """How many of the words (lower case) each language has as function words."""
    return Counter(tag for word in words for tag in LANGUAGES_OF.get(word, ()))
