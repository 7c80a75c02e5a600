"""What is no question: greetings and talk in many languages, lone words, typed noise."""

import json
import string
from pathlib import Path
from random import Random

from recipe.pairs import read

TALK = (
    "你好|您好|早上好|晚上好|嗨|在吗|在吗？|谢谢|谢谢你|非常感谢|多谢|再见|拜拜|好的|嗯|哦|是的|不是|没问题|哈哈|哈哈哈|呵呵|测试|试一下|你是谁|你是谁？|你叫什么名字？|你会做什么？|"
    "你能做什么|你能帮我吗？|帮帮我|请帮助我|我很无聊|今天心情不好|讲个笑话|给我讲个故事|你真棒|太好了|对不起|没关系|加油|晚安|早安|你吃了吗|你好吗|你好吗？|最近怎么样|hello|hi|hey|"
    "hi there|hello there|good morning|good evening|good night|thanks|thank you|thank you so much|thanks a lot|"
    "many thanks|bye|goodbye|see you|ok|okay|yes|no|sure|great|cool|nice|lol|haha|test|testing|test test|"
    "who are you|who are you?|what are you?|what can you do?|can you help me?|help|help me|please help|"
    "how are you|how are you?|what's up|tell me a joke|tell me a story|i'm bored|sorry|never mind|good job|"
    "well done|i love you|are you a robot?|are you human?|hmm|um|hola|buenos días|buenas tardes|buenas noches|"
    "gracias|muchas gracias|adiós|hasta luego|sí|no|vale|de acuerdo|prueba|¿quién eres?|¿qué puedes hacer?|"
    "¿cómo estás?|ayuda|perdón|por favor|bonjour|salut|bonsoir|merci|merci beaucoup|au revoir|oui|non|d'accord|"
    "ça va ?|qui es-tu ?|aide|hallo|guten Tag|guten Morgen|danke|vielen Dank|tschüss|auf Wiedersehen|ja|nein|"
    "wer bist du?|wie geht's?|hilfe|bitte|привет|здравствуйте|добрый день|доброе утро|спасибо|большое спасибо|"
    "пока|до свидания|да|нет|хорошо|кто ты?|как дела?|помоги|тест|こんにちは|おはよう|おはようございます|こんばんは|ありがとう|ありがとうございます|"
    "さようなら|はい|いいえ|テスト|あなたは誰ですか|元気ですか|すみません|안녕|안녕하세요|감사합니다|고맙습니다|안녕히 계세요|네|아니요|테스트|누구세요?|잘 지내세요?|สวัสดี|"
    "สวัสดีครับ|ขอบคุณ|ขอบคุณค่ะ|ลาก่อน|ใช่|ไม่ใช่|คุณคือใคร|สบายดีไหม|xin chào|chào bạn|cảm ơn|tạm biệt|vâng|"
    "không|bạn là ai?|merhaba|selam|günaydın|teşekkürler|teşekkür ederim|hoşça kal|evet|hayır|sen kimsin?|"
    "nasılsın?|مرحبا|السلام عليكم|شكرا|شكرا جزيلا|مع السلامة|نعم|لا|من أنت؟|كيف حالك؟|नमस्ते|धन्यवाद|शुक्रिया|"
    "अलविदा|हाँ|नहीं|आप कौन हैं?|आप कैसे हैं?|γεια σου|καλημέρα|ευχαριστώ|αντίο|ναι|όχι|ποιος είσαι;|"
    "τι κάνεις;|ciao|buongiorno|grazie|grazie mille|arrivederci|sì|chi sei?|come stai?|olá|oi|bom dia|"
    "boa tarde|obrigado|obrigada|tchau|sim|não|quem é você?|tudo bem?|謝謝|謝謝你|你好嗎|早安|再見|你是誰|測試"
).split("|")
NOISE = ["!!!", "???", "...", "1234", "asd", "qwe", ":)", "^^", "123", "aaa", "zzz"]
SYLLABLES = "啊嗯哦哈呵的了吗一二三"


def lone_words(pairs: Path, settings: dict, random: Random) -> list[str]:
    """Words, and short entries, from dictionaries and texts."""
    words = []
    for source in settings["words_from"]:
        rows = list(read(pairs / f"{source}.jsonl.zst"))
        for pair in random.sample(rows, settings["words"]):
            word = random.choice(f"{pair.a} {pair.b}".split()) if random.random() < 0.8 else pair.a
            if 0 < len(word) < 14:
                words.append(word.strip(".,;。，"))
    return words


def typed(random: Random) -> list[str]:
    """Letters, numbers, syllables and signs without meaning."""
    letters = ["".join(random.choice(string.ascii_lowercase) for _ in range(random.randint(1, 9))) for _ in range(200)]
    numbers = [str(random.randint(0, 99999)) for _ in range(80)]
    syllables = [random.choice(SYLLABLES) * random.randint(1, 4) for _ in range(60)]
    return letters + numbers + syllables + [random.choice(NOISE) for _ in range(60)]


def make(pairs: Path, settings: dict) -> list[str]:
    random = Random(settings["seed"])
    words, noise = lone_words(pairs, settings, random), typed(random)
    talk = [text + random.choice(["", "", "!", "！", ".", "。", "~"]) for text in TALK for _ in range(4)]
    talk += [f"{random.choice(TALK)} {random.choice(TALK)}" for _ in range(200)]
    return talk + words + noise


def prepare(pairs: Path, settings: dict, kept: Path) -> list[str]:
    """The texts, made once and kept in `kept`."""
    if not kept.exists():
        kept.write_text(json.dumps(make(pairs, settings), ensure_ascii=False))
    return json.loads(kept.read_text())
