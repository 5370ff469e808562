"""Labelled responses for the language-mixing penalty: what a person would call mixed, and not.

Each row is a prompt and a response. KEPT: one language throughout, whatever names, terms,
formulas and quotations it has. MIXED: a change of language.
"""

# ruff: noqa: E501, RUF001

from __future__ import annotations

EN = "A shop sells 12 pens on Monday and twice as many on Tuesday. How many pens in all?"
ES = "Una tienda vende 12 bolígrafos el lunes y el doble el martes. ¿Cuántos vende en total?"
FR = "Un magasin vend 12 stylos lundi et le double mardi. Combien de stylos en tout ?"
DE = "Ein Laden verkauft am Montag 12 Stifte und am Dienstag doppelt so viele. Wie viele insgesamt?"
IT = "Un negozio vende 12 penne lunedì e il doppio martedì. Quante penne in tutto?"
PT = "Uma loja vende 12 canetas na segunda e o dobro na terça. Quantas canetas ao todo?"
NL = "Een winkel verkoopt op maandag 12 pennen en op dinsdag twee keer zoveel. Hoeveel in totaal?"
RU = "Магазин продал в понедельник 12 ручек, а во вторник вдвое больше. Сколько всего?"
UK = "Крамниця продала в понеділок 12 ручок, а у вівторок удвічі більше. Скільки всього?"
ZH = "商店星期一卖了12支钢笔,星期二卖的是星期一的两倍。一共卖了多少支?"
JA = "ある店は月曜日にペンを12本売り、火曜日にはその2倍を売りました。合計で何本ですか。"
KO = "가게에서 월요일에 펜을 12자루 팔고 화요일에 두 배를 팔았습니다. 모두 몇 자루입니까?"
AR = "باع متجر 12 قلما يوم الاثنين وضعفها يوم الثلاثاء. كم قلما باع؟"
HE = "חנות מכרה 12 עטים ביום שני ופי שניים ביום שלישי. כמה עטים נמכרו?"
HI = "एक दुकान ने सोमवार को 12 कलम और मंगलवार को दुगुने बेचे। कुल कितने?"
TH = "ร้านขายปากกา 12 ด้ามวันจันทร์ และสองเท่าในวันอังคาร รวมกี่ด้าม"
NONE = "12 + 24 = ?"

LONG_EN = (
    "On Monday the shop sells 12 pens. On Tuesday it sells twice as many, which is 24 pens. "
    "To find the total we add the two numbers together. "
)

KEPT: list[tuple[str, str]] = [
    # --- plain, one language
    (EN, LONG_EN + "So the answer is \\boxed{36}."),
    (EN, "36"),
    (EN, "Tuesday: 24. Total: 36."),
    (EN, "Wait, let me check this again. 12 + 24 = 36. Yes, that is right."),
    (NONE, "12 + 24 = 36"),
    (NONE, "\\boxed{36}"),
    (NONE, "Adding the two numbers gives 36."),
    (NONE, "Al sumar los dos números se obtiene 36."),
    (NONE, "两个数相加得到36。"),
    (ES, "El lunes vende 12 y el martes vende el doble, que son 24. En total son \\boxed{36}."),
    (ES, "Primero sumamos los bolígrafos del lunes; después, los del martes. La suma es 36."),
    (FR, "Le lundi on vend 12 stylos et le mardi deux fois plus, soit 24. Il y en a donc 36."),
    (FR, "On additionne d'abord les stylos, puis on vérifie que la somme est bien 36."),
    (DE, "Am Montag sind es 12 Stifte und am Dienstag doppelt so viele, also 24. Das ergibt 36."),
    (DE, "Wir addieren zuerst die beiden Zahlen und erhalten dann 36, weil 12 + 24 = 36 ist."),
    (IT, "Lunedì vende 12 penne e martedì il doppio, cioè 24. Quindi in tutto sono 36."),
    (PT, "Na segunda são 12 canetas e na terça são 24. Então, ao todo, são 36 canetas."),
    (NL, "Op maandag zijn het 12 pennen en op dinsdag twee keer zoveel, dus 24. Samen is dat 36."),
    (RU, "В понедельник продали 12 ручек, а во вторник 24. Значит, всего продали 36 ручек."),
    (UK, "У понеділок продали 12 ручок, а у вівторок 24. Отже, всього продали 36 ручок."),
    (ZH, "星期一卖了12支,星期二卖了24支,所以一共卖了36支。"),
    (ZH, "首先我们把两天的数量加起来,然后得到答案。答案是\\boxed{36}。"),
    (JA, "月曜日は12本、火曜日は24本です。したがって合計は36本になります。"),
    (JA, "【解答】月曜日12本、火曜日24本。合計36本。よって答えは36です。"),
    (JA, "三角形の面積は底辺×高さ÷2です。問題文より、底辺は6、高さは4なので、面積は12です。"),
    (KO, "월요일에는 12자루, 화요일에는 24자루를 팔았으므로 모두 36자루입니다."),
    (AR, "باع يوم الاثنين 12 قلما ويوم الثلاثاء 24 قلما، إذن المجموع هو 36."),
    (HE, "ביום שני נמכרו 12 וביום שלישי 24, ולכן סך הכול נמכרו 36 עטים."),
    (HI, "सोमवार को 12 और मंगलवार को 24 कलम बिके, इसलिए कुल 36 कलम बिके।"),
    (TH, "วันจันทร์ขายได้ 12 ด้าม วันอังคารขายได้ 24 ด้าม รวมเป็น 36 ด้าม"),
    ("Sklep sprzedał 12 długopisów. Ile?", "Sklep sprzedał 12, a potem jeszcze 24, więc to 36."),
    ("Toko menjual 12 pena. Berapa?", "Toko itu menjual 12 pena dan kemudian 24, jadi ada 36."),
    ("Bir dükkan 12 kalem sattı. Kaç?", "Bu dükkan önce 12 ve sonra 24 kalem sattı, yani 36."),
    ("Cửa hàng bán 12 bút. Hỏi?", "Cửa hàng bán 12 bút và sau đó 24 bút, vậy tổng là 36."),
    ("En butik säljer 12 pennor. Hur?", "På måndag är det 12 och på tisdag 24, så det blir 36."),
    # --- another language than the prompt's, but one only
    (EN, "星期一卖了12支,星期二卖了24支,所以一共是36支。"),
    (ES, LONG_EN),
    (ZH, LONG_EN + "So the answer is \\boxed{36}."),
    # --- names
    (EN, "By a theorem of Juan de la Cruz and Ludwig van der Waals we get 36."),
    (EN, "Using the lemma of Paul Erdős and Kurt Gödel, and a bound of Henri Poincaré, it is 36."),
    (EN, "Maria del Carmen bought 12 pens in Los Angeles and José sold 24 in El Paso."),
    (EN, "We follow Charles-Jean de la Vallée Poussin, and then Johann von Neumann."),
    (EN, "The Leaning Tower of Pisa, the Rue de Rivoli and the Calle de la Paz are 36 km apart."),
    (EN, "Leonardo da Vinci and Vasco da Gama both had 12 ships, so that is 24 in all."),
    (EN, "Read 'Die Welt als Wille' first, then count the 36 pages."),
    (
        EN,
        "The mathematician Чебышёв (Chebyshev) proved this in a long paper, and so we may use it.",
    ),
    (EN, "This is Chebyshev's inequality (Чебышёв), which gives the bound at once for all such n."),
    # --- loan words and phrases
    (EN, "Pens, pencils, et cetera: 36 in all."),
    (EN, "This looks like déjà vu: we had the same sum before, and it is 36."),
    (EN, "The result holds a fortiori for 36, and vice versa; see Lang et al. for more."),
    (EN, "A priori we know nothing, so by reductio ad absurdum it has to be 36. Q.E.D."),
    (EN, "That is the raison d'être of the formula, and the pièce de résistance is the sum 36."),
    (EN, "C'est la vie: the first attempt was wrong, so we add again and find 36."),
    (EN, "We make the ansatz x = 36 and look at the eigenvalue, as in the Entscheidungsproblem."),
    (EN, "Que sera, sera. We simply add 12 and 24 and get 36."),
    (EN, "A sudoku has 9 rows, an origami crane has 36 folds, and a haiku has 17 syllables."),
    (
        EN,
        "The word sudoku (数独) is Japanese; each row of the puzzle has 9 cells, so 36 is too many.",
    ),
    (EN, "In the café, the maître d' served 12 crêpes à la carte and 24 jalapeños."),
    (EN, "It is the coup de grâce: 12 + 24 = 36, quod erat demonstrandum."),
    (EN, "They travel en route to the city at 36 km per hour, per se not fast."),
    (ES, "Usamos el software y el hardware para sumar: el resultado del test es 36, ¡okay!"),
    (DE, "Wir nehmen den Computer und das Internet zur Hilfe: das Update ergibt 36."),
    (FR, "Pour le week-end, on fait du shopping et du jogging, et la somme est 36."),
    (JA, "コンピュータとソフトウェアで計算すると、答えは36になります。"),
    # --- Greek letters, units, variables, formulas
    (EN, "Let α, β and γ be the angles; then Δx = αβ and Σ is π, so ω → ∞."),
    (EN, "The speed is 36 km/h, i.e. 10 m/s, at 5 °C and 2 µm, 3 Ω, 4 kWh and 7 mL."),
    (EN, "Let a, e, i, o, u and y be numbers. Then a + e = i, y = o, and u is 36."),
    (EN, "We have sin x = cos y, log n > 1, max(a, b) = 36 and det A = 0, so tan x = 1 by lim."),
    (EN, "f(x) = der(x) and las_x = los_y = 36 for every x in the list."),
    (EN, "$\\text{la suma de los dos es}$ 36, so that is what we were looking for."),
    (EN, "The answer is \\(\\text{所以答案是}\\) 36 and nothing else."),
    (
        EN,
        "\\begin{align} x &= 36 \\quad \\text{donde la suma es de los dos} \\end{align} Done, so 36.",
    ),
    (EN, "She pays $5 for the first and $6 for the second, so that is $11 in all."),
    (EN, "ABCD is a square, DE = 5, ES = 6, UN = 7 and LA = 8, so the area is 36."),
    (ZH, "设x为星期一的数量,y为星期二的数量,则x + y = 36,其中LCM(12, 24) = 24。"),
    (ZH, "先求GCD和LCM,然后用AM-GM不等式,最后得到答案36。"),
    (ZH, "根据Law of Large Numbers,平均值趋于期望,所以答案是36。"),
    (ZH, "由Cauchy-Schwarz不等式和Vieta定理可知,a = 3 cm, b = 4 cm, 所以c = 5 cm。"),
    (ZH, "我们用Python里的for循环和if语句来计算,结果是36。"),
    (JA, "x と y を変数とし、LCM と GCD を求めると、答えは 36 cm になります。"),
    (JA, "Python の print 関数で確認すると、Fermat の小定理により答えは36です。"),
    (KO, "LCM과 GCD를 구하면 x = 3, y = 4 이고 답은 36 cm 입니다."),
    (RU, "Пусть x и y числа, тогда НОК равен LCM(12, 24) = 24, а sin x = 1, ответ 36 km."),
    (RU, "По теореме Gauss-Bonnet и формуле Euler получаем ответ 36."),
    (AR, "لنفرض أن x هو العدد، إذن sin x = 1 و y = 36 cm."),
    (HI, "मान लीजिए x और y संख्याएँ हैं, तब LCM 24 है और उत्तर 36 है।"),
    # --- code, addresses
    (EN, "Here it is:\n```python\n# suma de los dos números que son del usuario\nx = 36\n```"),
    (
        EN,
        "Here is the program.\n```python\n# 首先我们把两天的数量加起来\nprint(36)\n```\nIt prints 36.",
    ),
    (EN, "Call `sumar_los_números_de_la_lista` or `首先我们把数量加起来` and it returns 36."),
    (EN, "It is open to the end:\n```python\n# сначала сложим все числа\nprint(36)"),
    (EN, "See https://es.wikipedia.org/wiki/Suma_de_los_números_que_son_de_la_lista for more."),
    (EN, "Write to la.suma.de.los@que.es or look at www.el-que-es-para-los-dos.es for help."),
    (ZH, "程序如下:\n```python\n# this is what we do with all of the numbers\nprint(36)\n```"),
    (
        ES,
        "El programa es:\n```python\n# first we add all of the numbers that we have\nprint(36)\n```",
    ),
    (RU, "Программа:\n```python\n# here we add the numbers that are in the list\nprint(36)\n```"),
    (ZH, "见 https://en.wikipedia.org/wiki/The_sum_of_all_that_is_in_it 这个网页,答案是36。"),
    # --- quotations of the prompt
    ("What does 'el perro está en la casa' mean?", "'El perro está en la casa' means 'the dog'."),
    ("What does 你好吗 mean in English?", "The phrase 你好吗 means 'how are you', a greeting."),
    ("Translate «Где находится вокзал» please.", "Где находится вокзал: where is the station."),
    (
        "翻译 'the dog is in the house that we saw'。",
        "the dog is in the house that we saw 的意思是狗在房子里。",
    ),
    (
        "How many letters are in 'das ist nicht der Hund'?",
        "'das ist nicht der Hund' has 18 letters.",
    ),
    (
        "「商店一共卖了多少支」の意味は?",
        "「商店一共卖了多少支」は、店が全部で何本売ったかという意味です。",
    ),
    # --- tags and headings
    (EN, "<think>\n" + LONG_EN + "\n</think>\n<answer>36</answer>"),
    (ZH, "<think>\n我们先算星期二卖了多少支,再相加。\n</think>\n<answer>36</answer>"),
    (EN, "**Step 1:** add.\n\n- Monday: 12\n- Tuesday: 24\n\n### Answer\n36"),
    (ZH, "**Step 1:** 星期一卖了12支。\n**Step 2:** 星期二卖了24支。\n答案是36。"),
    (JA, "Answer: 合計は36本です。月曜日と火曜日を足しました。"),
    # --- written after the tables were, to see what they had not been made for
    (EN, "Alice and Bob drive from San Diego to Las Vegas; at 90 mph that is about 3.7 hours."),
    (EN, "By the Bolzano-Weierstrass theorem and Fermat's little theorem, 7 divides the sum."),
    (EN, "Dr. Müller and Señora García of the Universidad de los Andes got 36 as well."),
    (EN, "Hmm, that can't be right. Let's recompute: 12 * 2 = 24, 24 + 12 = 36. OK."),
    (EN, "In the modus operandi of the proof, mutatis mutandis, x maps to y and so on."),
    (ES, "Sea x el número de bolígrafos; entonces x = 12 + 24 = 36 y ya está."),
    (FR, "Soit n le nombre de stylos. On a n = 36, ce qu'il fallait démontrer."),
    (DE, "Sei n die Anzahl der Stifte. Dann gilt n = 36, was zu zeigen war."),
    (PT, "Seja n o número de canetas. Temos n = 36, como queríamos demonstrar."),
    (RU, "Обозначим через n число ручек. Тогда n = 36, что и требовалось доказать."),
    (ZH, "解:设总数为n,由题意得n = 12 + 24 = 36。故选(C)。"),
    (JA, "解：ペンの本数を n とする。題意より n = 36 となる。証明終。"),
]

MIXED: list[tuple[str, str]] = [
    # --- Latin script inside Latin script
    (EN, LONG_EN + "Entonces la suma de los dos números es 36."),
    (EN, "We add the pens porque la tienda vende más el martes, and we get 36."),
    (EN, "First we add. Luego vemos que la suma de todos los bolígrafos es 36. That is it."),
    (EN, LONG_EN + "Donc la somme des deux nombres est égale à 36."),
    (EN, "The sum is 36. Nous avons donc trouvé la réponse avec les deux nombres."),
    (EN, LONG_EN + "Daher ist die Summe der beiden Zahlen nicht 35, sondern 36."),
    (EN, "So we get 36. Das ist die Antwort, weil wir die beiden Zahlen addiert haben."),
    (EN, LONG_EN + "Quindi la somma dei due numeri è 36, che è il risultato."),
    (EN, LONG_EN + "Então a soma dos dois números é 36, que não é ímpar."),
    (EN, LONG_EN + "Daarom is de som van de twee getallen niet 35 maar 36."),
    (EN, LONG_EN + "Zatem suma tych liczb jest równa 36, ponieważ to są dwie liczby."),
    (EN, LONG_EN + "Därför är summan av de två talen 36 och inte 35."),
    (EN, LONG_EN + "Bu nedenle iki sayının toplamı 36 olur, çünkü 12 ve 24 var."),
    (EN, LONG_EN + "Jadi jumlah kedua bilangan itu adalah 36 karena kita menambahkan semua."),
    (EN, LONG_EN + "Vậy tổng của hai số này là 36 vì chúng ta cộng hai số."),
    (EN, LONG_EN + "Takže součet je 36, protože jsme sečetli dvě čísla, která máme."),
    (EN, LONG_EN + "Tehát az összeg 36, mert ez a két szám van és nem több."),
    (EN, LONG_EN + "Deci suma este 36, pentru că sunt două numere și nu trei."),
    (EN, LONG_EN + "Siis summa on 36, koska se on kahden luvun summa eikä muuta, ja niin on."),
    (ES, "El lunes vende 12 y el martes 24. So the total number of pens that they sold is 36."),
    (ES, "Primero sumamos los números. Then we check that the answer is what we want. Son 36."),
    (ES, "La suma es de 36. Donc nous avons la réponse et c'est tout pour cette question."),
    (ES, "El total de los bolígrafos es 36. Então não há mais nada, pois são duas somas."),
    (FR, "On vend 12 stylos et puis 24. Therefore the answer to this question must be 36."),
    (FR, "La somme est de 36. Das ist die Antwort, weil wir nicht mehr haben."),
    (DE, "Am Montag sind es 12 Stifte. We then add the pens that were sold on Tuesday. Also 36."),
    (DE, "Das Ergebnis ist 36. Porque la suma de los dos números es eso y nada más."),
    (IT, "Lunedì sono 12 penne e martedì sono 24. So we have that the total is 36."),
    (PT, "Na segunda são 12 e na terça são 24. Thus we can see that the total is 36."),
    (NL, "Op maandag zijn het 12 pennen. Then we have to add the 24 that they sold after that."),
    # --- other scripts inside Latin script
    (EN, LONG_EN + "所以两个数加起来一共是36。"),
    (EN, "Then 所以 we add the two, 然后 we get 36."),
    (EN, "We need to 计算 the total, which is 36."),
    (EN, "Let me think. 首先,星期一卖了12支。 Then we add 24."),
    (EN, LONG_EN + "Значит, всего магазин продал 36 ручек."),
    (EN, "The total, как мы видим из условия, is 36 pens."),
    (EN, LONG_EN + "したがって、合計は36本になります。"),
    (EN, LONG_EN + "따라서 모두 36자루입니다."),
    (EN, LONG_EN + "إذن المجموع هو 36 قلما."),
    (EN, LONG_EN + "ולכן סך הכול נמכרו 36 עטים."),
    (EN, LONG_EN + "इसलिए कुल 36 कलम बिके।"),
    (EN, LONG_EN + "ดังนั้นรวมเป็น 36 ด้าม"),
    (EN, "The answer (首先我们把两个数加起来得到总数) is 36."),
    (EN, "<think>\n首先我们把两个数加起来。\n</think>\nThe sum of the two numbers is 36."),
    (ES, "El lunes vende 12 y el martes 24. 所以一共是36支钢笔。"),
    (FR, "Le lundi on vend 12 stylos. Во вторник магазин продал ещё 24 ручки."),
    (DE, "Am Montag sind es 12 Stifte. 火曜日は24本です。Zusammen sind es 36."),
    # --- Latin script inside other scripts
    (ZH, "星期一卖了12支。" + LONG_EN + "所以答案是36。"),
    (ZH, "首先我们把两天的数量加起来。So the answer is that they have sold 36 pens in all."),
    (ZH, "星期二卖了24支。However, we should check that this is what they want. 答案是36。"),
    (ZH, "所以一共是36支。Entonces la suma de los dos números es 36."),
    (JA, "月曜日は12本です。Then we can see that the total is 36, so this is the answer."),
    (JA, "合計は36本です。Das ist die Summe, weil wir die beiden Zahlen addiert haben."),
    (KO, "월요일에는 12자루입니다. So we have to add the 24 that were sold. 모두 36자루입니다."),
    (RU, "В понедельник продали 12 ручек. Then we add the 24 pens that they sold, so it is 36."),
    (RU, "Всего 36 ручек. Donc la somme est bien celle que nous avons dans cette question."),
    (AR, "باع يوم الاثنين 12 قلما. So we have to add the 24 that they sold on Tuesday."),
    (HI, "सोमवार को 12 कलम बिके। Then we can add the 24 that they sold, so it is 36."),
    # --- Chinese, Japanese, Korean; Cyrillic
    (JA, "月曜日は12本、火曜日は24本です。所以我们把两个数加起来,一共是36本。"),
    (JA, "月曜日は12本です。这样一共卖了36支钢笔。答えは36です。"),
    (JA, "まず数を足します。但是我们还应该检查这个结果。合計は36本です。"),
    (ZH, "星期一卖了12支。したがって合計は36本になります。"),
    (ZH, "首先把两个数相加。これは正しいですか。答案是36。"),
    (ZH, "星期一卖了12支,星期二卖了24支。따라서 모두 36자루입니다."),
    (KO, "월요일에는 12자루입니다. 所以一共卖了三十六支钢笔。"),
    (KO, "월요일에는 12자루입니다. したがって合計は36本になります。"),
    (RU, "В понедельник продали 12 ручек. 所以一共卖了三十六支钢笔。"),
    (ZH, "星期一卖了12支。Значит, всего магазин продал 36 ручек."),
    (RU, "Сначала мы сложим все числа, которые есть. Отже, це є відповідь, бо її треба знайти."),
    (AR, "باع يوم الاثنين 12 قلما. 所以一共卖了三十六支钢笔。"),
    (NONE, "The sum of the two is 36. 所以答案就是三十六。"),
    (NONE, "We add the two numbers. Sumamos los dos números para obtener el total que es 36."),
    # --- written after the tables were, to see what they had not been made for
    (EN, "Let n be the number of pens. Sea m el número de lápices que se venden. Then n = 36."),
    (EN, "The answer should be 36. Je pense que c'est juste, mais il faut vérifier."),
    (EN, "Ich glaube, dass wir hier noch einmal rechnen müssen. Anyway, the answer is 36."),
    (EN, "OK so 12 + 24 = 36, 答案是 36, and we are done with it."),
    (EN, "Okay, давайте проверим. The total is 36, and that is the answer."),
    (ES, "Wait, let me check this. El martes vende 24, así que en total son 36."),
    (FR, "Okay, so the shop sells 24 pens on Tuesday. Cela fait donc 36 stylos en tout."),
    (ZH, "嗯,让我想想。The shop sells twice as many on Tuesday, which is 24. 所以是36。"),
    (ZH, "首先计算星期二的数量,それは24本です。然后相加得36。"),
    (JA, "まず火曜日の本数を求めます。Let me think about it: we have 24. 合計は36本です。"),
    (RU, "Во вторник продали 24 ручки. Let me check that again: it is 36 in total."),
    (PT, "Na segunda são 12 canetas. El martes son 24 y por lo tanto hay 36 en total."),
]
