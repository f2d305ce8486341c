//! Words and sentences of languages other than English. Data only.

/// A language: word lists as in [`super::vocabulary`], sentences as in [`super::patterns`].
pub(super) struct Language {
    pub(super) adjectives: &'static str,
    pub(super) nouns: &'static str,
    pub(super) verbs: &'static str,
    pub(super) when: &'static str,
    pub(super) sentences: &'static [&'static str],
}

/// All of them; the last two write no spaces.
pub(super) const LANGUAGES: [Language; 5] = [
    Language {
        adjectives: "nuevo, viejo, pequeño, grande, rápido, lento, barato, caro, roto, largo, corto, difícil, fácil, público, interno, raro, limpio, oscuro, verde, antiguo",
        nouns: "programa, correo, informe, viaje, contrato, jardín, coche, examen, cuento, servidor, error, presupuesto, médico, piso, perro, receta, curso, factura, \
        proyecto, reunión, función, tabla, archivo, cliente, barrio, motor, libro, mapa, horario, ensayo, vecino, pedido, sueldo, billete, museo, puente, reloj, idioma",
        verbs: "escribir, arreglar, comprar, traducir, resumir, explicar, cambiar, vender, calcular, ordenar, comparar, planear, corregir, aprender, cocinar, limpiar, enviar, cancelar",
        when: "hoy, mañana, esta semana, desde ayer, en marzo, antes del lunes, por la noche, después de comer, el mes que viene",
        sentences: &[
            "¿[Cómo puedo|Cómo se puede|Qué hago para] {verb} un {noun} {adj} [en {place}|sin {noun}|con {tech}]?",
            "[Necesito|Quiero|Tengo que] {verb} el {noun} {when}[ y el {noun} también|].",
            "Mi {noun} está {adj} y no puedo {verb} el {noun}.",
            "[Escribe|Haz|Dame] un {noun} {adj} sobre {noun} y {noun}, [máximo|unas] {n} palabras.",
            "¿Es mejor un {noun} {adj} o un {noun} {adj}?",
            "[Hola|Buenas], soy {name} de {place}, trabajo con {noun} y {noun}.",
            "El {noun} de {name} cuesta {n} euros {when}.",
            "[Gracias|Un saludo], {name}.",
        ],
    },
    Language {
        adjectives: "neu, alt, klein, groß, schnell, langsam, billig, teuer, kaputt, lang, kurz, schwierig, einfach, öffentlich, intern, selten, sauber, dunkel, grün, locker",
        nouns: "Programm, Konto, Bericht, Reise, Vertrag, Garten, Auto, Prüfung, Märchen, Server, Fehler, Budget, Arzt, Wohnung, Hund, Rezept, Kurs, Rechnung, Projekt, \
        Besprechung, Funktion, Tabelle, Datei, Kunde, Heizung, Motor, Buch, Karte, Stundenplan, Aufsatz, Nachbar, Bestellung, Gehalt, Ticket, Museum, Brücke, Uhr, Keller",
        verbs: "schreiben, reparieren, kaufen, übersetzen, zusammenfassen, erklären, ändern, verkaufen, berechnen, sortieren, vergleichen, planen, korrigieren, lernen, kochen, putzen, kündigen",
        when: "heute, morgen, diese Woche, seit gestern, im März, bis Montag, nachts, nach dem Essen, nächsten Monat",
        sentences: &[
            "[Wie kann ich|Wie lässt sich|Was muss ich tun, um] {noun} und {noun} [in {place}|ohne {noun}|mit {tech}] {verb}?",
            "[Ich muss|Ich möchte|Wir wollen] {when} {noun} {verb}[, aber {noun} ist {adj}|].",
            "{noun} ist {adj}, deshalb kann ich {noun} nicht {verb}.",
            "[Schreib|Mach|Gib] mir etwas über {noun} und {noun}, [höchstens|etwa] {n} Wörter.",
            "Was ist besser: {noun} {adj} oder {noun} {adj}?",
            "[Hallo|Guten Tag], {name} hier aus {place}, es geht um {noun} und {noun}.",
            "{noun} von {name} kostet {n} Euro {when}.",
            "[Danke|Viele Grüße], {name}",
        ],
    },
    Language {
        adjectives: "nouveau, vieux, petit, grand, rapide, lent, cher, cassé, long, court, difficile, facile, public, interne, rare, propre, sombre, vert, ancien, gratuit",
        nouns: "programme, courriel, rapport, voyage, contrat, jardin, vélo, examen, conte, serveur, bogue, budget, médecin, logement, chien, plat, cours, devis, \
        projet, rendez-vous, module, tableau, fichier, client, quartier, moteur, livre, plan, horaire, devoir, voisin, colis, salaire, billet, musée, pont, réveil, texte",
        verbs: "écrire, réparer, acheter, traduire, résumer, expliquer, changer, vendre, calculer, trier, comparer, prévoir, corriger, apprendre, cuisiner, nettoyer, envoyer, annuler",
        when: "aujourd'hui, demain, cette semaine, depuis hier, en mars, avant lundi, la nuit, après le repas, le mois prochain",
        sentences: &[
            "[Comment|Est-ce possible de|Où peut-on] {verb} un {noun} {adj} [à {place}|sans {noun}|avec {tech}] ?",
            "[Je dois|Je veux|Il faut] {verb} le {noun} {when}[, et le {noun} aussi|].",
            "Mon {noun} est {adj}, impossible de {verb} le {noun}.",
            "[Écris|Donne-moi|Propose] un {noun} {adj} sur le {noun} et le {noun}, [environ|maximum] {n} mots.",
            "Plutôt un {noun} {adj} ou un {noun} {adj} ?",
            "[Bonjour|Salut], {name} de {place}, j'ai un {noun} {adj}.",
            "Le {noun} de {name} coûte {n} euros {when}.",
            "[Merci|Bonne journée], {name}.",
        ],
    },
    Language {
        adjectives: "新的, 旧的, 便宜的, 漂亮的, 复杂的, 简单的, 坏掉的, 很长的, 公开的, 内部的, 安静的, 奇怪的, 完整的, 重要的, 临时的, 免费的",
        nouns: "程序, 函数, 邮件, 报告, 合同, 花园, 汽车, 考试, 故事, 服务器, 错误, 预算, 医生, 房子, 小狗, 菜谱, 课程, 发票, 项目, 会议, 表格, 文件, 客户, 发动机, \
        小说, 地图, 作文, 邻居, 订单, 工资, 机票, 博物馆, 数据库, 接口, 论文, 简历, 电影, 手机, 公寓, 旅行",
        verbs: "写, 修改, 购买, 翻译, 总结, 解释, 更换, 出售, 计算, 排序, 比较, 安排, 检查, 学习, 准备, 打扫, 发送, 取消, 优化, 设计",
        when: "今天, 明天, 这周, 从昨天起, 三月份, 周一之前, 晚上, 下个月, 国庆期间",
        sentences: &[
            "[怎么|如何|能不能]{verb}{adj}{noun}和{noun}？",
            "请[帮我|你]{verb}一下{when}的{noun}，[不要|需要]{verb}{noun}。",
            "我的{noun}出了问题，{adj}{noun}应该怎么{verb}？",
            "写一篇关于{adj}{noun}与{noun}的{noun}，大约{n}字。",
            "{adj}{noun}和{adj}{noun}哪个更好？",
            "我在{place}工作，{when}要{verb}{n}个{noun}。",
            "因为{noun}是{adj}，所以我想{verb}{noun}。",
        ],
    },
    Language {
        adjectives: "新しい, 古い, 安い, 高い, 小さい, 大きい, 難しい, 簡単な, 静かな, 複雑な, 大切な, 無料の, 壊れた, 長い, 短い, 珍しい",
        nouns: "プログラム, 関数, メール, 報告書, 契約書, 庭, 車, 試験, 物語, サーバー, エラー, 予算, 病院, 部屋, 犬, 料理, 授業, 請求書, 企画, 会議, 表, ファイル, \
        お客様, エンジン, 小説, 地図, 作文, 隣人, 注文, 給料, 切符, 美術館, データ, 論文, 履歴書, 映画, 電話, 旅行",
        verbs: "書く, 直す, 買う, 訳す, まとめる, 説明する, 変える, 売る, 計算する, 並べる, 比べる, 計画する, 調べる, 学ぶ, 作る, 掃除する, 送る, 取り消す",
        when: "今日, 明日, 今週, 昨日から, 三月に, 月曜までに, 夜に, 来月",
        sentences: &[
            "{adj}{noun}と{noun}を{verb}[方法を教えてください|にはどうすればいいですか|コツはありますか]。",
            "{when}、{noun}を{verb}[必要があります|つもりです]が、{noun}が{adj}です。",
            "{adj}{noun}と{adj}{noun}、どちらがいいですか？",
            "{noun}について{adj}{noun}を{n}字で{verb}ことはできますか。",
            "私の{noun}は{adj}ので、{noun}を{verb}ことができません。",
            "{place}の{noun}で{n}人の{noun}を{verb}予定です。",
        ],
    },
];
