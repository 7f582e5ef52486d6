"""List voices over REST, without the SDK: python list_voices_rest.py [LOCALE]."""

import json
import sys
from urllib.request import Request, urlopen

from speechroute import SpeechSettings, resolve

settings = SpeechSettings()
url = resolve(settings).rest_url("tts", "cognitiveservices/voices/list")
key = settings.key.get_secret_value()
with urlopen(Request(url, headers={"Ocp-Apim-Subscription-Key": key})) as response:  # noqa: S310
    voices = json.load(response)

locale = sys.argv[1] if len(sys.argv) > 1 else ""
for voice in voices:
    if voice["Locale"].startswith(locale):
        print(voice["ShortName"], voice["Gender"])
