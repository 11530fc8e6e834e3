"""What the trained words mean, described in other words, and what words mean that say nothing of deep space.

A word of the open vocabulary goes to the description that a sentence encoder finds closest. The second list competes
with the first: a word that is closest to "food, cooking and drinks" weighs nothing. A trained word that is not
described here (you trained on pictures of your own) is described by itself.
"""

ANCHORS = {
    "blue": ["the colour blue", "bluish", "blue like the clear sky at noon and the sea"],
    "cluster": ["a cluster, many things gathered close together", "a dense crowd or bunch or group of things"],
    "dark": ["dark, black, without light", "a shadow that blocks the light"],
    "deep": ["deep, far away, remote, profound"],
    "dense": ["dense, crowded, packed close together"],
    "edge-on": ["seen from the side, edge-on, thin as a needle"],
    "field": ["a field full of stars", "the starry sky at night", "the firmament above us"],
    "galaxy": ["a galaxy", "galactic", "a system of billions of stars in the universe, like the one we live in"],
    "globular": ["globular, shaped like a round ball, a sphere or a globe"],
    "golden": ["the colour golden yellow", "yellowish", "golden like honey and the sun",
               "the colour between yellow and red"],
    "green": ["the colour green", "greenish", "green like grass and leaves"],
    "nebula": ["a nebula", "a glowing cloud of gas in space", "gas, dust, fog and clouds",
               "interstellar matter, plasma", "a place where stars are born"],
    "open": ["a loose, open group"],
    "planetary": ["planetary, of planets", "a planet"],
    "red": ["the colour red", "reddish", "red like blood and fire"],
    "remnant": ["a remnant, debris left over after destruction"],
    "sky": ["a dark and empty sky"],    # as captions say it, of few stars
    "sparse": ["sparse, few, thinly scattered"],
    "spiral": ["a spiral that winds around a centre", "whirling, swirling, rotating around a centre"],
    "star": ["a star, a sun in space"],
    "stars": ["stars, suns in space"],
    "supernova": ["a supernova", "a star that explodes", "a violent explosion, a blast"],
    "violet": ["the colour violet", "purplish", "violet like plums and lilac"],
    "white": ["the colour white", "whitish", "white like snow and milk", "colourless, pale, silvery"],
}

# Trained words that captions say together with others only: alone they are half of what they mean. A word that is found to
# mean one of them means all; whoever writes the trained word gets it as it is.
TOGETHER = {
    "edge-on": "edge-on galaxy", "field": "star field", "globular": "globular cluster", "open": "open cluster",
    "planetary": "planetary nebula", "remnant": "supernova remnant", "spiral": "spiral galaxy",
    "supernova": "supernova remnant",
}

BACKGROUND = [
    "colour, hue, paint", "light, bright, shining", "a picture, photograph, image or painting",
    "art, style and quality",
    "a person's first name", "a family name", "a company, brand or product", "politics and government", "law and crime",
    "war and weapons", "sport, teams and players", "food, cooking and drinks", "medicine and the body", "an illness",
    "clothes and fashion", "money and business", "a town, city or country", "a building, house or room",
    "cars, trains and traffic", "computers, software and the internet", "mathematics and statistics", "music and songs",
    "films and television", "books and writing", "school and education", "religion and belief", "family and friends",
    "feelings and emotions", "beautiful, wonderful, nice", "large or small", "good or bad", "time, dates and years",
    "a number", "work and jobs", "an animal", "plants and gardening", "tools and machines", "chemistry and materials",
    "history and nations", "talking and saying", "thinking and knowing", "to do or make something",
    "to go or come or move", "to give or take or get", "and, or, but, if, because", "of, in, on, at, to, from",
    "the, a, this, that, it, they", "very, quite, almost, only", "language and grammar", "sex", "people and society",
    "household things", "games and toys", "an astronomer with a telescope", "science and research",
    "race, ethnic groups and nationalities", "a vulgar swear word", "a telephone",
]

# Names in the colour survey that mean something else when the sky is painted, or that nobody wants to meet in a table.
NOT_COLOURS = {"dust", "dark", "sky", "midnight", "twilight", "dusk", "pale", "ice", "stone", "earth", "charcoal",
               "drab", "bland", "royal",
               "barney", "booger", "snot", "shit", "poo", "poop", "puke", "vomit", "diarrhea", "bile"}

# Plurals too rare for the list of common words.
PLURALS = {"nebulae": "nebula", "supernovae": "supernova"}
